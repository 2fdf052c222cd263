"""Write `seed_bundles/`: two clinics, their people and their records, as FHIR transactions.

    python -m scripts.build_seeds [--check]

`--check` writes nothing and fails when a committed file differs from what would be written.
A file is one transaction, an entry a line; the files are loaded in the order of their names.
Most entries are a PUT under a readable id, so that loading twice changes nothing; errands are
conditional creates.
"""

import argparse
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from scripts.seeds.agenda import appointments, schedules
from scripts.seeds.care import care, encounters
from scripts.seeds.clinics import CLINICS, Clinic, organizations
from scripts.seeds.consents import consents
from scripts.seeds.elements import ANCHOR, ANCHOR_SYSTEM, HOME, JsonObject, coding
from scripts.seeds.families import families
from scripts.seeds.knowledge import knowledge
from scripts.seeds.laboratory import laboratory
from scripts.seeds.medicines import prescriptions
from scripts.seeds.messages import errands, messages, urn
from scripts.seeds.papers import papers
from scripts.seeds.patients import patients
from scripts.seeds.problems import conditions, problems
from scripts.seeds.referrals import referrals
from scripts.seeds.staff import practitioners
from scripts.seeds.vaccinations import vaccinations
from scripts.seeds.vitals import vitals

TARGET: Final = Path(__file__).resolve().parents[1] / "seed_bundles"

Chapter = Callable[[Clinic], Iterable[JsonObject]]
CHAPTERS: Final[tuple[tuple[str, tuple[Chapter, ...]], ...]] = (
    ("organizations", (organizations,)),
    ("practitioners", (practitioners,)),
    ("patients", (patients,)),
    ("families", (families,)),
    ("knowledge", (knowledge,)),
    ("schedules", (schedules,)),
    (
        "encounters",
        (
            conditions,
            referrals,
            appointments,
            encounters,
        ),
    ),
    ("laboratory", (laboratory,)),
    ("problems", (problems,)),
    ("care", (care,)),
    ("vitals", (vitals,)),
    ("prescriptions", (prescriptions,)),
    ("vaccinations", (vaccinations,)),
    ("papers", (papers,)),
    ("messages", (messages,)),
    ("consents", (consents,)),
    ("errands", (errands,)),
)


def main() -> int:
    """Write, or with `--check` compare; the exit status says whether all is current."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")
    check = arguments.parse_args().check
    files = dict(bundles())
    stale = sorted(name for name in {*files, *present()} if current(name) != files.get(name))
    if check:
        print("stale: " + ", ".join(stale) if stale else "seed bundles are current")
        return 1 if stale else 0
    TARGET.mkdir(exist_ok=True)
    for name in stale:
        write(name, files.get(name))
    return 0


def present() -> list[str]:
    return [each.name for each in TARGET.glob("*.json")]


def current(name: str) -> str | None:
    path = TARGET / name
    return path.read_text(encoding="utf-8") if path.exists() else None


def write(name: str, text: str | None) -> None:
    if text is None:
        (TARGET / name).unlink()
        return
    (TARGET / name).write_text(text, encoding="utf-8")
    print(f"{len(text.encode()):>9,} bytes  {name}")


def bundles() -> Iterator[tuple[str, str]]:
    """File name and content of each bundle, in loading order."""
    place = 0
    for title, chapters in CHAPTERS:
        for clinic in CLINICS:
            resources = [each for chapter in chapters for each in chapter(clinic)]
            if resources:
                place += 1
                yield f"{place:02}-{title}-{clinic.suffix}.json", bundle(resources)


def bundle(resources: Iterable[JsonObject]) -> str:
    """A transaction, one entry a line."""
    head = {
        "resourceType": "Bundle",
        "meta": {"tag": [coding(ANCHOR_SYSTEM, ANCHOR.isoformat())]},
        "type": "transaction",
    }
    lines = ",\n".join(line(entry(each)) for each in resources)
    return f'{line(head)[:-1]},"entry":[\n{lines}\n]}}\n'


def line(value: JsonObject) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def entry(resource: JsonObject) -> JsonObject:
    """PUT under its id; a resource without one is created unless its identifier exists."""
    kind = resource["resourceType"]
    if "id" not in resource:
        return creation(kind, resource)
    url = f"{kind}/{resource['id']}"
    return {
        "fullUrl": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{HOME}/{url}')}",
        "resource": resource,
        "request": {"method": "PUT", "url": url},
    }


def creation(kind: str, resource: JsonObject) -> JsonObject:
    own = resource["identifier"][0]
    known = f"identifier={own['system']}|{own['value']}"
    return {
        "fullUrl": urn(own["system"], own["value"]),
        "resource": resource,
        "request": {"method": "POST", "url": kind, "ifNoneExist": known},
    }


if __name__ == "__main__":
    raise SystemExit(main())
