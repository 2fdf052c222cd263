"""https://hl7.org/fhir/R4/extensibility.html"""

from typing import Any

import pytest

from fhir_server.core.errors import Unprocessable
from fhir_server.core.types import JsonObject
from fhir_server.validation import remainder
from fhir_server.validation.validator import Validator

SD = "http://hl7.org/fhir/StructureDefinition"
BIRTH_PLACE = {"url": f"{SD}/patient-birthPlace", "valueAddress": {"city": "Львів"}}
BIRTH_TIME = {"url": f"{SD}/patient-birthTime", "valueDateTime": "1974-12-25T14:35:45-05:00"}
MAIDEN_NAME = {"url": f"{SD}/patient-mothersMaidenName", "valueString": "x"}
LATITUDE = {"url": "latitude", "valueDecimal": 1}
LONGITUDE = {"url": "longitude", "valueDecimal": 2}


def patient(*extensions: JsonObject, **content: Any) -> JsonObject:
    return {"resourceType": "Patient", "extension": list(extensions)} | content


def place(*parts: JsonObject) -> JsonObject:
    where = {"city": "x", "extension": [{"url": f"{SD}/geolocation", "extension": [*parts]}]}
    return {"resourceType": "Patient", "address": [where]}


@pytest.mark.parametrize(
    "resource",
    [
        patient(BIRTH_PLACE, MAIDEN_NAME),
        patient({"url": "http://example.org/unknown", "valueInteger": 1}),
        patient(birthDate="1974-12-25", _birthDate={"extension": [BIRTH_TIME]}) | {"id": "a"},
        place(LATITUDE, LONGITUDE),
        patient(MAIDEN_NAME | {"url": f"{SD}/patient-mothersMaidenName|4.0.1"}),
    ],
)
def test_what_obeys_its_definition_is_accepted(errors: Any, resource: JsonObject) -> None:
    resource = {k: v for k, v in resource.items() if v}
    assert errors(resource) == []


@pytest.mark.parametrize(
    ("resource", "code", "expression"),
    [
        # the type of the value
        (patient(MAIDEN_NAME, BIRTH_PLACE | {"x": 1}), "structure", "extension[1].x"),
        (
            patient({"url": MAIDEN_NAME["url"], "valueInteger": 1}),
            "value",
            "extension[0].value",
        ),
        (
            patient(
                birthDate="1974-12-25",
                _birthDate={"extension": [BIRTH_TIME | {"valueDateTime": None}]},
            ),
            "structure",
            "birthDate.extension[0].value",
        ),
        (
            patient(
                birthDate="1974-12-25",
                _birthDate={"extension": [{"url": BIRTH_TIME["url"], "valueDate": "1974"}]},
            ),
            "value",
            "birthDate.extension[0].value",
        ),
        # a value where parts are asked for, and the other way round
        (
            patient({"url": MAIDEN_NAME["url"], "extension": [LATITUDE]}),
            "structure",
            "extension[0].extension",
        ),
        (
            patient(
                address=[{"extension": [{"url": f"{SD}/geolocation", "valueString": "x"}]}]
            ),
            "structure",
            "address[0].extension[0].value",
        ),
        # parts that are missing, too many, or of another type
        (place(LATITUDE), "required", "address[0].extension[0].extension"),
        (
            place(LATITUDE, LONGITUDE, LONGITUDE),
            "structure",
            "address[0].extension[0].extension",
        ),
        (
            place(LATITUDE, {"url": "longitude", "valueString": "x"}),
            "value",
            "address[0].extension[0].extension[1].value",
        ),
        # codes
        (
            patient(
                {"url": f"{SD}/patient-genderIdentity", "valueString": "x"},
            ),
            "value",
            "extension[0].value",
        ),
        (
            patient(
                name=[
                    {"extension": [{"url": f"{SD}/iso21090-EN-use", "valueCode": "nonsense"}]}
                ]
            ),
            "code-invalid",
            "name[0].extension[0].value",
        ),
        # in a resource inside another
        (
            {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [
                    {"resource": patient({"url": MAIDEN_NAME["url"], "valueInteger": 1})}
                ],
            },
            "value",
            "entry[0].resource.extension[0].value",
        ),
    ],
)
def test_what_breaks_it_is_named(
    errors: Any, resource: JsonObject, code: str, expression: str
) -> None:
    resource = {k: v for k, v in resource.items() if v}
    assert (code, f"{resource['resourceType']}.{expression}") in errors(resource)


def test_it_counts_on_a_write(validator: Validator) -> None:
    broken = patient({"url": MAIDEN_NAME["url"], "valueInteger": 1})
    with pytest.raises(Unprocessable):
        validator.check(broken, "Patient")
    validator.check(patient(MAIDEN_NAME), "Patient")


def test_simple_ones_take_the_quick_way() -> None:
    assert remainder.accepts(patient(MAIDEN_NAME), "Patient")


@pytest.mark.parametrize(
    ("resource", "warned"),
    [
        (patient(MAIDEN_NAME), False),
        (patient(name=[{"text": "x", "extension": [MAIDEN_NAME]}]), True),
        (patient(birthDate="1974-12-25", _birthDate={"extension": [BIRTH_TIME]}), False),
        (patient(BIRTH_TIME), True),
        (patient({"url": f"{SD}/data-absent-reason", "valueCode": "unknown"}), True),
        (patient(_active={"extension": [{"url": f"{SD}/data-absent-reason"}]}), False),
    ],
)
def test_another_place_is_a_warning(
    validator: Validator, resource: JsonObject, warned: bool
) -> None:
    resource = {k: v for k, v in resource.items() if v}
    found = validator.validate(resource, "Patient")
    said = [i for i in found if i.severity == "warning" and i.code == "structure"]
    assert bool(said) is warned
