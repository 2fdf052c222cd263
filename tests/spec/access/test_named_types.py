"""Types that a request names and the token has no scope for: refused, not left out in silence.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from typing import Final

import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from tests.support.consenting import action, consent
from tests.support.fhir import JsonObject, new_id
from tests.support.worlds import Tokens, World

P: Final = "named"
LABORATORY: Final = "patient/Observation.rs patient/Encounter.rs"


def observation(id_: str, patient: str) -> JsonObject:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
    }


@pytest.fixture(scope="module", autouse=True)
def loaded(worlds: tuple[World, World]) -> None:
    """Of Conditions one world has some, the other has none."""
    for world in worlds:
        world.load(
            {"resourceType": "Patient", "id": P, "name": [{"family": "Named"}]},
            observation("named-1", P),
        )
    worlds[0].load(
        {
            "resourceType": "Condition",
            "id": "named-condition",
            "subject": {"reference": f"Patient/{P}"},
            "evidence": [{"detail": [{"reference": "Observation/named-1"}]}],
        }
    )


def asked(
    world: World, tokens: Tokens, scopes: str, method: str, path: str, body: object = None
) -> tuple[int, str, str]:
    """Status, challenge, and what is said."""
    # Without fhirUser: whoever it is could read that Patient.
    principal = Principal("app", parse_scopes(scopes), patient=P, token=new_id())
    headers = {"Authorization": f"Bearer {tokens.give(principal)}"}
    if method == "SEARCH":
        where, _, query = path.partition("?")
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        found = world.http.post(f"{where.rstrip('/')}/_search", content=query, headers=headers)
    else:
        found = world.http.request(method, path, json=body, headers=headers)
    return found.status_code, found.headers.get("www-authenticate", ""), found.text


REFUSED: Final = (
    ("/?_type=Observation,Condition", "Condition.s"),
    ("/?_type=Condition", "Condition.s"),
    ("/?_type=Condition&_summary=count", "Condition.s"),
    (f"/Patient/{P}/*?_type=Observation,Condition", "Condition.s"),
    (f"/Patient/{P}/Condition", "Condition.s"),
    ("/Condition", "Condition.s"),
    ("/Observation?subject:Patient.name=named", "Patient.s"),
    ("/Observation?patient.name=named", "Patient.s"),
    ("/Observation?subject:Patient.name:missing=true", "Patient.s"),
    ("/Observation?encounter.diagnosis:Condition.code=x", "Condition.s"),
    ("/Observation?_has:Condition:evidence-detail:code=x", "Condition.s"),
    ("/Observation?_has:Encounter:reason-reference:_has:Condition:encounter:code=x",
     "Condition.s"),
    ("/Observation?_list=any", "List.s"),
    ("/Observation?_include=Observation:subject:Group", "Group.r"),
    ("/Encounter?_include=Encounter:diagnosis:Condition", "Condition.r"),
    ("/Observation?_include:iterate=Condition:encounter", "Condition.r"),
    ("/Observation?_revinclude=Condition:evidence-detail", "Condition.s"),
    ("/Observation?_revinclude:iterate=Condition:evidence-detail", "Condition.s"),
    (f"/Observation/$lastn?patient={P}&category=x&subject:Group.code=x", "Group.s"),
)  # fmt: skip


ASKED: Final = [
    pytest.param(method, path, lacking, id=f"{path}-{method}")
    for path, lacking in REFUSED
    for method in ("GET", "SEARCH")
    if method == "GET" or "$" not in path  # an operation is posted in another way
]


@pytest.mark.parametrize(("method", "path", "lacking"), ASKED)
def test_be_11_scp_15_a_type_that_is_named_needs_a_scope(
    worlds: tuple[World, World], tokens: Tokens, method: str, path: str, lacking: str
) -> None:
    answers = [asked(world, tokens, LABORATORY, method, path) for world in worlds]
    status, challenge, said = answers[0]
    assert status == 403, said
    assert 'error="insufficient_scope"' in challenge
    assert f'scope="patient/{lacking}"' in challenge
    # Scopes alone decide: what there is makes no difference.
    assert answers[0] == answers[1]


SILENT: Final = (
    "/",
    f"/Patient/{P}/*",
    "/?_type=Observation",
    "/Observation?_include=*",
    "/Observation?_revinclude=*",
    "/Observation?_include=Observation:subject",
    "/Observation?_include=Observation:encounter:Encounter",
    "/Observation?_include:iterate=Observation:*",
    "/Observation?performer.name=x",  # of a directory
    "/Observation?subject:Patient=named",  # says what the reference names, and asks no more
    "/Observation?encounter.status=finished",
    "/Observation?encounter:Encounter.status=finished",
    "/Observation?_has:Encounter:reason-reference:status=finished",
)


@pytest.mark.parametrize("path", SILENT)
def test_be_11_what_is_implied_is_limited_in_silence(
    worlds: tuple[World, World], tokens: Tokens, path: str
) -> None:
    for world in worlds:
        status, _, said = asked(world, tokens, LABORATORY, "GET", path)
        assert status == 200, said
        assert "named-condition" not in said


def test_be_11_everything_names_what_it_lacks(
    worlds: tuple[World, World], tokens: Tokens
) -> None:
    scopes = f"{LABORATORY} patient/Patient.rs"
    path = f"/Patient/{P}/$everything"
    status, _, said = asked(worlds[0], tokens, scopes, "GET", path)
    assert status == 200
    assert "named-condition" not in said
    status, challenge, _ = asked(worlds[0], tokens, scopes, "GET", f"{path}?_type=Condition")
    assert (status, 'scope="patient/Condition.s"' in challenge) == (403, True)


CONDITIONS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("POST", "/Observation", {"If-None-Exist": "subject:Patient.name=named"}),
    ("PUT", "/Observation?_has:Condition:evidence-detail:code=x", {}),
    ("DELETE", "/Observation?_has:Condition:evidence-detail:code=x", {}),
)


@pytest.mark.parametrize("row", CONDITIONS, ids=lambda row: row[0])
def test_scp_20_so_does_a_condition_of_a_write(
    worlds: tuple[World, World], tokens: Tokens, row: tuple[str, str, dict[str, str]]
) -> None:
    method, path, conditions = row
    scopes = parse_scopes("patient/Observation.cruds")
    principal = Principal("app", scopes, patient=P, token=new_id())
    headers = {"Authorization": f"Bearer {tokens.give(principal)}", **conditions}
    body = observation("named-1", P)
    answers = [w.http.request(method, path, json=body, headers=headers) for w in worlds]
    assert [each.status_code for each in answers] == [403, 403]
    assert "insufficient_scope" in answers[0].headers["www-authenticate"]


def test_scp_19_a_conditional_reference_names_a_type_too(
    worlds: tuple[World, World], tokens: Tokens
) -> None:
    made = observation("any", P) | {"focus": [{"reference": "Condition?code=x"}]}
    entry = {"resource": made, "request": {"method": "POST", "url": "Observation"}}
    body = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    scopes = "patient/Observation.cruds"
    for world in worlds:
        status, challenge, _ = asked(world, tokens, scopes, "POST", "/", body)
        assert (status, 'scope="patient/Condition.s"' in challenge) == (403, True)


@pytest.mark.parametrize(
    "path", ["/Observation", "/?_type=Observation", "/Observation/named-1"]
)
def test_be_11_a_consent_is_no_missing_scope(
    worlds: tuple[World, World], tokens: Tokens, path: str
) -> None:
    """Who has the scope and meets a Consent that closes the record is told of neither."""
    record = f"named-{new_id()}"
    for world in worlds:
        world.load({"resourceType": "Patient", "id": record})
    closed = consent(
        {"type": "deny", "action": action("access", "disclose")},
        id=f"c-{record}",
        patient={"reference": f"Patient/{record}"},
    )
    worlds[0].load(closed)
    doctor = Principal(
        "ward",
        parse_scopes("patient/Observation.rs"),
        patient=record,
        user="Practitioner/d",
        staff=True,
        purpose="TREAT",
        token=new_id(),
    )
    headers = {"Authorization": f"Bearer {tokens.give(doctor)}"}
    answers = [world.http.get(path, headers=headers) for world in worlds]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].status_code == (404 if "named-1" in path else 200)
