"""The standard's own examples of dates, numbers and quantities, row by row.

https://hl7.org/fhir/R4/search.html#prefix
https://hl7.org/fhir/R4/search.html#number
https://hl7.org/fhir/R4/search.html#date
https://hl7.org/fhir/R4/search.html#quantity
"""

from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

JsonObject = dict[str, Any]
Found = Callable[[str], str]

TAG: Final = "urn:test:prefixes|rows"
UCUM: Final = "http://unitsofmeasure.org"

DATES: Final = {
    "day": "2013-01-14",
    "midnight": "2013-01-14T00:00:00Z",
    "ten": "2013-01-14T10:00:00Z",
    "last": "2013-01-14T23:59:59.999Z",
    "next": "2013-01-15T00:00:00Z",
    "month": "2013-01",
    "year": "2013",
    "before": "2013-01-13",
    "march": "2013-03-14",
}
PERIODS: Final = {
    "from-21-jan": {"start": "2013-01-21"},
    "until-21-jan": {"end": "2013-01-21"},
    "from-15-mar": {"start": "2013-03-15"},
    "closed": {"start": "2013-01-10", "end": "2013-01-20"},
    "an-hour": {"start": "2013-01-14T01:00:00Z", "end": "2013-01-14T02:00:00Z"},
}
NUMBERS: Final = {
    "n100": "100",
    "n99-5": "99.5",
    "n99-49": "99.49",
    "n100-5": "100.5",
    "n100-004": "100.004",
    "n95": "95",
    "n104-9": "104.9",
    "n105": "105",
    "small": "0.00540",
    "smaller": "0.00535",
    "negative": "-5",
}


def _entry(resource: JsonObject, prefix: str, id_: str) -> JsonObject:
    system, _, code = TAG.partition("|")
    named = resource | {
        "id": f"{prefix}.{id_}",
        "meta": {"tag": [{"system": system, "code": code}]},
    }
    url = f"{resource['resourceType']}/{named['id']}"
    return {"resource": named, "request": {"method": "PUT", "url": url}}


@pytest.fixture(scope="module")
def found(fhir: httpx.Client) -> Found:
    """The names of what a query finds, sorted."""
    base = {"resourceType": "Observation", "status": "final"}
    entries = [
        _entry(base | {"code": {"text": "date"}, "effectiveDateTime": each}, "d", name)
        for name, each in DATES.items()
    ]
    entries += [
        _entry(
            {
                "resourceType": "Encounter",
                "status": "finished",
                "class": {"code": "AMB"},
                "period": each,
            },
            "p",
            name,
        )
        for name, each in PERIODS.items()
    ]
    coding = {"coding": [{"system": "urn:test", "code": "q"}]}
    unit = {"unit": "mg", "system": UCUM, "code": "mg"}
    entries += [
        _entry(
            base | {"code": coding, "valueQuantity": {"value": float(each)} | unit}, "q", name
        )
        for name, each in NUMBERS.items()
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert fhir.post("", json=bundle).status_code == 200

    def of(query: str) -> str:
        answer = fhir.get(f"/{query}&_tag={TAG}&_count=100")
        assert answer.status_code == 200, answer.text
        entries = answer.json().get("entry", ())
        return " ".join(sorted(e["resource"]["id"].partition(".")[2] for e in entries))

    return of


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("2013-01-14", "day last midnight ten"),
        ("ne2013-01-14", "before march month next year"),
        ("2013-01", "before day last midnight month next ten"),
        ("2013", "before day last march midnight month next ten year"),
        ("gt2013-01-14", "march month next year"),
        ("lt2013-01-14", "before month year"),
        ("ge2013-01-14", "day last march midnight month next ten year"),
        ("le2013-01-14", "before day last midnight month ten year"),
        # "2013-01-14 includes the part of 14-Jan 2013 before" and "after that time".
        ("lt2013-01-14T10:00:00Z", "before day midnight month year"),
        ("gt2013-01-14T10:00:00Z", "day last march month next year"),
        ("sa2013-01-14", "march next"),
        ("eb2013-01-14", "before"),
        ("sa2013-01", "march"),
        ("2013-01-14T10:00Z", "ten"),
        ("2013-01-14T12:00:00%2B02:00", "ten"),
        ("gt2013-01-13&date=lt2013-01-15", "day last midnight month ten year"),
        ("2013-01-13,2013-03-14", "before march"),
    ],
)
def test_dates(found: Found, query: str, names: str) -> None:
    assert found(f"Observation?date={query}") == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        # "That period may include times after 14-Mar 2013", and before.
        ("ge2013-03-14", "from-15-mar from-21-jan"),
        ("le2013-03-14", "an-hour closed from-21-jan until-21-jan"),
        ("gt2013-03-14", "from-15-mar from-21-jan"),
        ("lt2013-03-14", "an-hour closed from-21-jan until-21-jan"),
        ("sa2013-03-14", "from-15-mar"),
        ("eb2013-03-14", "an-hour closed until-21-jan"),
        ("2013-01-14", "an-hour"),
        ("2013-01", "an-hour closed"),
        ("ne2013-01", "from-15-mar from-21-jan until-21-jan"),
        ("lt2013-01-14", "closed until-21-jan"),
    ],
)
def test_periods(found: Found, query: str, names: str) -> None:
    assert found(f"Encounter?date={query}") == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("100", "n100 n100-004 n99-5"),
        ("100.00", "n100 n100-004"),
        ("1e2", "n100 n100-004 n100-5 n104-9 n95 n99-49 n99-5"),
        ("lt100", "n95 n99-49 n99-5 negative small smaller"),
        ("le100", "n100 n95 n99-49 n99-5 negative small smaller"),
        ("gt100", "n100-004 n100-5 n104-9 n105"),
        ("ge100", "n100 n100-004 n100-5 n104-9 n105"),
        ("ne100", "n100-5 n104-9 n105 n95 n99-49 negative small smaller"),
        ("ap100", "n100 n100-004 n100-5 n104-9 n105 n95 n99-49 n99-5"),
        ("sa100", "n100-004 n100-5 n104-9 n105"),
        ("eb100", "n95 n99-49 n99-5 negative small smaller"),
        ("-5", "negative"),
        ("5.40e-3", "small"),
        (f"5.4e-3|{UCUM}|mg", "small smaller"),
        (f"5.4e-6|{UCUM}|g", "small smaller"),
        ("5.4e-3||mg", "small smaller"),
        (f"0.100|{UCUM}|g", "n100 n100-004 n99-5"),
        (f"gt0.1|{UCUM}|g", "n100-004 n100-5 n104-9 n105"),
        (f"100|{UCUM}|kg", ""),
    ],
)
def test_quantities(found: Found, query: str, names: str) -> None:
    assert found(f"Observation?value-quantity={query}") == names
