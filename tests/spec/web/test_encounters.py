"""CTX-11: a standalone app asks for an encounter, and the person chooses which, or none.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#standalone-apps
"""

import re
from typing import Any

import pytest

from fhir_server.access.codings import CONSENT_SCOPE, Coding
from fhir_server.access.required import Required
from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.accounts.encounters import MOST
from fhir_server.cabinet.accounts.fhir_records import FhirRecords
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import Update
from fhir_server.interactions.context import Context
from fhir_server.interactions.update import update
from fhir_server.smart.digests import digest
from fhir_server.smart.records import Client, Launch, LaunchContext
from tests.support.smart import numbers, said
from tests.support.web import Browser, Cabinet

pytestmark = pytest.mark.anyio

SCOPE = "launch/patient launch/encounter patient/Patient.r"
V3 = "http://terminology.hl7.org/CodeSystem/v3-"


async def put(pages: Cabinet, **resource: Any) -> None:
    body = dict(resource)
    ctx = Context(pages.fhir, UNLIMITED)
    await update(ctx, Update(body["resourceType"], body["id"], body))


async def person(pages: Cabinet) -> str:
    """The id of a new patient."""
    id_ = f"visited{next(numbers)}"
    name = [{"family": "Котова", "given": [id_]}]
    await put(pages, resourceType="Patient", id=id_, name=name)
    return id_


async def encounter(pages: Cabinet, patient: str, id_: str, start: str, **more: Any) -> str:
    found = {
        "status": "finished",
        "class": {"system": f"{V3}ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
        "period": {"start": start},
        **more,
    }
    await put(pages, resourceType="Encounter", id=f"{patient}-{id_}", **found)
    return f"{patient}-{id_}"


async def asking(
    pages: Cabinet, patient: str | None, scope: str = SCOPE, **more: Any
) -> tuple[Client, Browser]:
    """A browser at the consent page."""
    account = await pages.account(patient=patient, **more)
    client = await pages.smart.client(scope=f"launch {SCOPE} offline_access")
    browser = pages.browser()
    await browser.ask(client, scope=scope)
    await browser.sign_in(account.email)
    return client, browser


def offered(browser: Browser, patient: str) -> list[str]:
    """The visits on the page, in their order; the first is none."""
    pattern = rf'name="encounter-{patient}" value="([^"]*)"'
    return re.findall(pattern, browser.page)


async def allowed(pages: Cabinet, client: Client, browser: Browser, **fields: Any) -> Any:
    """The token response of a yes."""
    answer = said((await browser.allow(**fields)).headers["location"])
    return (await pages.smart.redeem(client, answer["code"])).json()


async def test_ctx_11_the_newest_comes_first_and_one_is_chosen(pages: Cabinet) -> None:
    anna = await person(pages)
    old = await encounter(pages, anna, "old", "2019-05")
    new = await encounter(
        pages, anna, "new", "2026-03-12T10:30:00+03:00", type=[{"text": "Кардиолог"}],
        serviceProvider={"display": "Поликлиника № 1"},
    )  # fmt: skip
    client, browser = await asking(pages, anna)
    assert offered(browser, anna) == ["", new, old]
    for each in ("12 March 2026, 10:30", "Кардиолог", "Поликлиника № 1", "May 2019",
                 "Outpatient visit"):  # fmt: skip
        assert each in browser.page, each
    body = await allowed(pages, client, browser, **{f"encounter-{anna}": old})
    assert (body["patient"], body["encounter"]) == (anna, old)
    assert "launch/encounter" in body["scope"].split()


async def test_ctx_11_without_a_choice_there_is_no_encounter(pages: Cabinet) -> None:
    anna = await person(pages)
    await encounter(pages, anna, "one", "2026-01-01")
    client, browser = await asking(pages, anna)
    body = await allowed(pages, client, browser)
    assert "encounter" not in body
    assert body["scope"] == "launch/patient patient/Patient.r"


async def test_ctx_11_without_visits_there_is_nothing_to_choose(pages: Cabinet) -> None:
    anna = await person(pages)
    client, browser = await asking(pages, anna)
    assert "no visits to choose from" in browser.page
    assert "encounter" not in await allowed(pages, client, browser)


async def test_without_the_scope_no_visit_is_shown_or_taken(pages: Cabinet) -> None:
    anna = await person(pages)
    one = await encounter(pages, anna, "one", "2026-01-01")
    scope = "launch/patient patient/Patient.r"
    client, browser = await asking(pages, anna, scope)
    assert one not in browser.page
    body = await allowed(pages, client, browser, **{f"encounter-{anna}": one})
    assert "encounter" not in body


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
async def test_what_did_not_happen_is_not_offered(pages: Cabinet, status: str) -> None:
    anna = await person(pages)
    one = await encounter(pages, anna, "one", "2026-01-01", status=status)
    _, browser = await asking(pages, anna)
    assert offered(browser, anna) == []
    await browser.allow(**{f"encounter-{anna}": one})
    assert "no such visit" in browser.page


async def test_ctx_02_a_visit_of_another_is_refused(pages: Cabinet) -> None:
    anna, other = await person(pages), await person(pages)
    theirs = await encounter(pages, other, "one", "2026-01-01")
    _, browser = await asking(pages, anna)
    assert theirs not in browser.page
    for id_ in (theirs, "nowhere", "../x"):
        response = await browser.allow(**{f"encounter-{anna}": id_})
        assert response.status_code == 400
        assert "no such visit" in browser.page


async def test_the_list_is_bounded(pages: Cabinet) -> None:
    anna = await person(pages)
    for number in range(MOST + 3):
        await encounter(pages, anna, f"n{number}", f"2026-01-{number + 1:02}")
    _, browser = await asking(pages, anna)
    found = offered(browser, anna)
    assert len(found) == MOST + 1
    assert found[1] == f"{anna}-n{MOST + 2}"


async def test_visits_are_those_that_a_proxy_may_see(pages: Cabinet) -> None:
    """The represented person's Consent lets her see hospital stays alone."""
    anna = await person(pages)
    friend = f"friend{next(numbers)}"
    await put(
        pages, resourceType="RelatedPerson", id=friend,
        patient={"reference": f"Patient/{anna}"},
    )  # fmt: skip
    await put(
        pages, resourceType="VerificationResult", id=friend, status="validated",
        target=[{"reference": f"RelatedPerson/{friend}"}],
    )  # fmt: skip
    await put(
        pages, resourceType="Person", id=friend,
        link=[{"target": {"reference": f"RelatedPerson/{friend}"}}],
    )  # fmt: skip
    stay = {"system": f"{V3}ActCode", "code": "IMP"}
    await put(pages, **proxy(anna, friend, stay))
    seen = await encounter(pages, anna, "stay", "2026-01-01", **{"class": stay})
    hidden = await encounter(pages, anna, "visit", "2026-02-01")
    account = await pages.account(patient=None, person=friend)
    pages.represents.by_account[account.id] = (anna,)
    client, browser = await pages.smart.client(scope=SCOPE), pages.browser()
    await browser.ask(client, scope=SCOPE)
    await browser.sign_in(account.email)
    assert offered(browser, anna) == ["", seen]
    assert (await browser.allow(**{f"encounter-{anna}": hidden})).status_code == 400
    body = await allowed(pages, client, browser, **{f"encounter-{anna}": seen})
    assert body["encounter"] == seen


def proxy(patient: str, relation: str, code: dict[str, str]) -> dict[str, Any]:
    """A Consent that lets the relation see what has this code."""
    role = {"coding": [{"system": f"{V3}ParticipationType", "code": "IRCP"}]}
    kind = {
        "system": "https://fhir-server.example/CodeSystem/consent-category",
        "code": "proxy",
    }
    return {
        "resourceType": "Consent",
        "id": f"proxy-{relation}",
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [kind]}],
        "patient": {"reference": f"Patient/{patient}"},
        "performer": [{"reference": f"Patient/{patient}"}],
        "policy": [{"uri": "urn:proxy"}],
        "provision": {
            "type": "permit",
            "actor": [{"role": role, "reference": {"reference": f"RelatedPerson/{relation}"}}],
            "code": [{"coding": [code]}],
        },
    }


async def test_of_several_records_each_has_its_visits(pages: Cabinet) -> None:
    anna, other = await person(pages), await person(pages)
    mine = await encounter(pages, anna, "one", "2026-01-01")
    account = await pages.account(patient=anna)
    pages.represents.by_account[account.id] = (other,)  # by the page; by no relation on file
    theirs = await encounter(pages, other, "one", "2026-01-01")
    client, browser = await pages.smart.client(scope=SCOPE), pages.browser()
    await browser.ask(client, scope=SCOPE)
    await browser.sign_in(account.email)
    assert offered(browser, anna) == ["", mine]
    assert theirs not in browser.page
    choice = {"patient": anna, f"encounter-{other}": theirs, f"encounter-{anna}": mine}
    body = await allowed(pages, client, browser, **choice)
    assert (body["patient"], body["encounter"]) == (anna, mine)


async def test_staff_name_a_visit_of_the_patient_they_name(pages: Cabinet) -> None:
    anna = await person(pages)
    one = await encounter(pages, anna, "one", "2026-01-01")
    doctor: dict[str, Any] = {"staff": True, "user": "Practitioner/who", "purpose": "TREAT"}
    client, browser = await asking(pages, None, **doctor)
    assert (await browser.allow(patient=anna, encounter="nowhere")).status_code == 400
    body = await allowed(pages, client, browser, patient=anna, encounter=one)
    assert (body["patient"], body["encounter"]) == (anna, one)


async def test_ehr_13_a_launch_without_a_visit_lets_choose_one(pages: Cabinet) -> None:
    anna = await person(pages)
    one = await encounter(pages, anna, "one", "2026-01-01")
    account = await pages.account(patient=anna)
    client, browser = await pages.smart.client(scope=f"launch {SCOPE}"), pages.browser()
    expires = pages.smart.clock.now() + 300_000
    await pages.smart.ports.launches.put(
        Launch(digest(f"l-{one}"), client.id, "portal", LaunchContext(patient=anna), expires)
    )
    await browser.ask(client, launch=f"l-{one}", scope=f"launch {SCOPE}")
    await browser.sign_in(account.email)
    body = await allowed(pages, client, browser, **{f"encounter-{anna}": one})
    assert (body["patient"], body["encounter"]) == (anna, one)


async def test_s0_01_the_page_says_which_consents_are_missing(pages: Cabinet) -> None:
    anna = await person(pages)

    async def missing(patient: str) -> tuple[Required, ...]:
        title = Text("Telemedicine", "Телемедицина", "Телемедицина")
        where = Text("at the desk", "в регистратуре", "у реєстратурі")
        return (Required((Coding("urn:law", "tmk"),), title, where),) if patient == anna else ()

    strict = pages.with_accounts(records=FhirRecords(pages.fhir, consents=missing))
    account, browser = await pages.account(patient=anna), strict.browser()
    await browser.ask(await pages.smart.client())
    await browser.sign_in(account.email)
    for each in ("is closed until", "Telemedicine", "at the desk"):
        assert each in browser.page, each
    location = (await browser.allow()).headers["location"]
    assert "code" in said(location)  # the app is how they are given
