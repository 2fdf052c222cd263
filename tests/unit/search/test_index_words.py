"""Words of `_text` and `_content`: https://hl7.org/fhir/R4/search.html#content."""

from typing import Any

from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry

INDEXER = Indexer(Registry())
NARRATIVE = {
    "status": "generated",
    "div": '<div xmlns="http://www.w3.org/1999/xhtml"><b id="x">Caf&eacute;</b>r&amp;d</div>',
}


def words(code: str, **elements: Any) -> set[str]:
    values = INDEXER.values({"resourceType": "Patient", "id": "zz", **elements})
    return {key[len(code) + 1 :] for key in values.words if key.startswith(f"{code}|")}


def test_text_is_the_narrative_without_its_tags() -> None:
    assert words("_text", text=NARRATIVE) == {"cafe"}


def test_content_has_the_narrative_and_what_people_read() -> None:
    found = words(
        "_content",
        text=NARRATIVE,
        name=[{"text": "Иван Ёлкин", "use": "official"}],
        maritalStatus={"coding": [{"system": "urn:s", "code": "mm", "display": "Married"}]},
        generalPractitioner=[{"reference": "Practitioner/pp", "display": "Dr House"}],
        identifier=[{"system": "urn:i", "value": "vv", "assigner": {"display": "Clinic"}}],
        extension=[{"url": "urn:e", "valueString": "Extended"}],
        contained=[{"resourceType": "Organization", "id": "oo", "name": "Inside"}],
        birthDate="1990",
    )
    assert found == {
        "cafe", "иван", "елкин", "married", "dr", "house", "clinic", "extended", "inside",
    }  # fmt: skip


def test_the_number_of_words_has_an_end() -> None:
    text = " ".join(f"w{n}" for n in range(2_000))
    assert len(words("_content", name=[{"text": text}])) == 500


def test_a_server_may_do_without() -> None:
    indexer = Indexer(Registry(), full_text=False)
    patient = {"resourceType": "Patient", "id": "1", "text": NARRATIVE}
    assert indexer.values(patient).words == []
