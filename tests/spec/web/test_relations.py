"""B06: whom a person represents shows on the consent page, by relation, age and Consent.

https://hl7.org/fhir/R4/relatedperson.html
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_server.access.codings import Coding
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.required import Required
from fhir_server.access.rights import UNLIMITED
from fhir_server.assembly.access import _proxies
from fhir_server.cabinet.accounts.fhir_records import FhirRecords
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import Update
from fhir_server.interactions.context import Context
from fhir_server.interactions.live_rights import LiveRights
from fhir_server.interactions.update import update
from tests.support.smart import numbers
from tests.support.web import Cabinet

pytestmark = pytest.mark.anyio

ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


async def put(pages: Cabinet, **resource: Any) -> None:
    body = dict(resource)
    kind = body["resourceType"]
    await update(Context(pages.fhir, UNLIMITED), Update(kind, body["id"], body))


async def family(pages: Cabinet, child_age: int) -> tuple[str, str]:
    """The ids of a mother's Person and of her child, who is so old."""
    number = next(numbers)
    child, mother = f"child{number}", f"mother{number}"
    born = f"{datetime.now(UTC).year - child_age - 1}-01-01"
    await put(pages, resourceType="Patient", id=child, birthDate=born)
    await put(
        pages,
        resourceType="RelatedPerson",
        id=mother,
        patient={"reference": f"Patient/{child}"},
        relationship=[{"coding": [{"system": ROLE, "code": "MTH"}]}],
    )
    await put(
        pages,
        resourceType="VerificationResult",
        id=f"v{number}",
        target=[{"reference": f"RelatedPerson/{mother}"}],
        status="validated",
    )
    await put(
        pages,
        resourceType="Person",
        id=mother,
        link=[{"target": {"reference": f"RelatedPerson/{mother}"}}],
    )
    return mother, child


@pytest.mark.parametrize(("age", "is_hers"), [(3, True), (14, True), (15, False), (20, False)])
async def test_b06_a_mother_opens_the_record_of_a_small_child(
    pages: Cabinet, age: int, is_hers: bool
) -> None:
    mother, child = await family(pages, age - 1 if age == 14 else age)
    proxies = _proxies(LiveRights(pages.fhir, AccessPolicy()))
    account = await pages.account(person=mother, patient="anna")
    records = FhirRecords(pages.fhir, proxies)
    found = [each.patient for each in await records.of_account(account)]
    assert found == (["anna", child] if is_hers else ["anna"])


async def test_s0_01_required_consents_that_are_missing(pages: Cabinet) -> None:
    title = Text("Personal data", "Персональные данные", "Персональні дані")
    kind = Coding("http://loinc.org", "59284-0")
    policy = AccessPolicy(required=(Required((kind,), title, title),))
    missing = LiveRights(pages.fhir, policy).missing
    assert [each.title for each in await missing("ben")] == [title]
    coded = {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}
    scope = "http://terminology.hl7.org/CodeSystem/consentscope"
    await put(
        pages,
        resourceType="Consent",
        id="c1",
        status="active",
        scope={"coding": [{"system": scope, "code": "patient-privacy"}]},
        category=[coded],
        patient={"reference": "Patient/ben"},
        policy=[{"uri": "https://law.example/152"}],
    )
    assert await missing("ben") == ()
    assert await LiveRights(pages.fhir, AccessPolicy()).missing("ben") == ()
