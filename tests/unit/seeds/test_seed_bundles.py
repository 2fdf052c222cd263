"""The committed seed bundles: transactions that can be loaded as they lie.

https://hl7.org/fhir/R4/http.html#transaction
"""

import re
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_server.cli.seed_dates import ANCHOR_SYSTEM, loaded_on, shift
from fhir_server.core import wire
from fhir_server.core.types import JsonObject
from fhir_server.validation.validator import Validator
from tests.unit.seeds.bundles import bundles, entries, references, resources

ROOT = Path(__file__).resolve().parents[3]
ANCHOR = "2026-01-05"
DAY = date(2027, 1, 9)
MOST_ENTRIES = 1000
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def test_the_files_are_what_the_script_writes() -> None:
    command = [sys.executable, "-m", "scripts.build_seeds", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "seed bundles are current\n")


@pytest.mark.parametrize("name", bundles())
def test_a_file_is_a_transaction_counted_from_the_anchor(name: str) -> None:
    bundle = bundles()[name]
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    assert bundle["meta"]["tag"] == [{"system": ANCHOR_SYSTEM, "code": ANCHOR}]
    assert 0 < len(bundle["entry"]) <= MOST_ENTRIES


def test_full_urls_are_unique() -> None:
    counted = Counter(entry["fullUrl"] for entry in entries())
    assert [url for url, times in counted.items() if times > 1] == []


def is_put_under_its_id(entry: JsonObject) -> bool:
    resource, request = entry["resource"], entry["request"]
    name = resource.get("id", "")
    url = f"{resource['resourceType']}/{name}"
    return bool(ID.fullmatch(name)) and request == {"method": "PUT", "url": url}


def is_created_once(entry: JsonObject) -> bool:
    resource, request = entry["resource"], entry["request"]
    own = resource["identifier"][0]
    known = f"identifier={own['system']}|{own['value']}"
    wanted = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": known}
    return "id" not in resource and request == wanted


def test_loading_twice_duplicates_nothing() -> None:
    risky = [e for e in entries() if not is_put_under_its_id(e) and not is_created_once(e)]
    assert risky == []


def test_identities_are_unique() -> None:
    counted = Counter(
        (entry["request"]["url"], entry["request"].get("ifNoneExist")) for entry in entries()
    )
    assert [key for key, times in counted.items() if times > 1] == []


def test_references_resolve_in_loading_order() -> None:
    known: set[str] = set()
    dangling = []
    for name, bundle in bundles().items():
        known.update(entry["request"]["url"] for entry in bundle["entry"])
        known.update(entry["fullUrl"] for entry in bundle["entry"])
        for resource in (entry["resource"] for entry in bundle["entry"]):
            contained = {f"#{each['id']}" for each in resource.get("contained", ())}
            dangling += [
                (name, resource.get("id"), each)
                for each in references(resource)
                if "?" not in each and each not in known | contained
            ]
    assert dangling == []


def test_conditional_references_match_exactly_one() -> None:
    numbered = Counter(
        f"{each['resourceType']}?identifier={found['system']}|{found['value']}"
        for each in resources("Practitioner")
        for found in each["identifier"]
    )
    asked = {found for each in resources() for found in references(each) if "?" in found}
    assert asked
    assert {each: numbered[each] for each in asked} == dict.fromkeys(asked, 1)


def errors(resource: JsonObject) -> list[str]:
    found = VALIDATOR.validate(resource, resource["resourceType"])
    return [f"{i.expression} {i.code} {i.args}" for i in found if i.severity == "error"]


VALIDATOR = Validator()


@pytest.mark.parametrize("name", bundles())
def test_every_resource_is_valid(name: str) -> None:
    resources = [entry["resource"] for entry in bundles()[name]["entry"]]
    assert {each.get("id"): errors(each) for each in resources if errors(each)} == {}


def samples() -> dict[str, JsonObject]:
    """One resource a type: the one with most elements."""
    return {each["resourceType"]: each for each in sorted(resources(), key=len)}


@pytest.mark.parametrize("kind", samples())
def test_the_models_of_fhir_resources_agree(kind: str) -> None:
    get_fhir_model_class(kind).model_validate_json(wire.dumps(samples()[kind]))


@pytest.mark.parametrize("days", [7, 364, 3640])
def test_moved_bundles_stay_valid(days: int) -> None:
    patients = shift(bundles()["05-patients-ru.json"], days)
    assert [errors(entry["resource"]) for entry in patients["entry"]] == [[]] * 15


def test_a_year_later_slots_lie_ahead() -> None:
    from_anchor = bundles()["11-schedules-ru.json"]
    moved = loaded_on(from_anchor, DAY)
    starts = [e["resource"]["start"] for e in moved["entry"] if "start" in e["resource"]]
    assert (min(starts)[:10], max(starts)[:10]) == ("2027-01-04", "2027-01-29")
