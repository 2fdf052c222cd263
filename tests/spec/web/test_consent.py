"""The consent page: what it says, what a person may take away, whose record, and the answer.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
"""

from collections.abc import Sequence
from typing import Any

import pytest

from fhir_server.smart.authorization import Parked
from fhir_server.smart.digests import digest
from fhir_server.smart.records import Client, Launch, LaunchContext
from tests.support.smart import CALLBACK, said
from tests.support.web import Browser, Cabinet

pytestmark = pytest.mark.anyio

EVERYTHING = "openid fhirUser launch/patient offline_access patient/*.cruds"
OBSERVATIONS = "http://terminology.hl7.org/CodeSystem/observation-category"


async def consenting(pages: Cabinet, client: Client, **changes: Any) -> Browser:
    """A browser at the consent page."""
    account = await pages.account()
    browser = pages.browser()
    await browser.ask(client, **changes)
    await browser.sign_in(account.email)
    assert "asks for access" in browser.heading
    return browser


async def granted(pages: Cabinet, scope: str, **fields: str | Sequence[str] | None) -> set[str]:
    """The scopes of the token that comes of the person's choice."""
    client = await pages.smart.client(scope=EVERYTHING)
    browser = await consenting(pages, client, scope=scope)
    answer = said((await browser.allow(**fields)).headers["location"])
    body = (await pages.smart.redeem(client, answer["code"])).json()
    return set(body["scope"].split())


async def test_sa_14_the_page_says_who_asks_for_what(pages: Cabinet) -> None:
    client = await pages.smart.client(
        client_name="Diary", policy_uri="https://app.example/p", scope=EVERYTHING
    )
    browser = await consenting(
        pages, client, scope="openid launch/patient offline_access patient/*.rs patient/Task.cu"
    )
    for each in (
        "Diary",
        "app.example",
        "publisher is not named",
        "future kinds of data",
        "Keep access while you are not using the app",
        "Requests and their progress",
        "https://app.example/p",
    ):
        assert each in browser.page, each


async def test_the_page_warns_of_an_app_that_nobody_looked_at(pages: Cabinet) -> None:
    client = await pages.smart.client()
    browser = await consenting(pages, client)
    assert ("has not looked at this app" in browser.page) is not client.reviewed


async def test_forms_may_lead_to_the_app_and_nowhere_else(pages: Cabinet) -> None:
    browser = await consenting(pages, await pages.smart.client())
    policy = browser.response.headers["content-security-policy"]
    assert policy.endswith("form-action 'self' https://app.example")


async def test_sa_15_a_no_reaches_the_app(pages: Cabinet) -> None:
    browser = await consenting(pages, await pages.smart.client())
    answer = (await browser.submit(answer="deny")).headers["location"]
    assert answer.startswith(CALLBACK)
    assert (said(answer)["error"], said(answer)["state"]) == ("access_denied", "xyz")


async def test_sa_29_the_redirect_leaves_no_trace(pages: Cabinet) -> None:
    browser = await consenting(pages, await pages.smart.client())
    headers = (await browser.allow()).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


async def test_sa_07_all_that_is_ticked_is_granted(pages: Cabinet) -> None:
    scope = "openid fhirUser launch/patient offline_access patient/*.rs patient/Task.cruds"
    assert await granted(pages, scope) == set(scope.split())


ASKED = "launch/patient patient/Observation.cruds patient/Condition.rs patient/Patient.r"


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"see-1": None}, {"patient/Observation.cruds", "patient/Patient.r"}),
        ({"see-0": None}, {"patient/Observation.cud", "patient/Condition.rs",
                           "patient/Patient.r"}),
        ({"write-0": None}, {"patient/Observation.rs", "patient/Condition.rs",
                             "patient/Patient.r"}),
        ({"see-0": None, "write-0": None, "see-2": None}, {"patient/Condition.rs"}),
        ({"span-0": "chosen", "part-0": f"{OBSERVATIONS}|laboratory", "see-1": None,
          "see-2": None}, {f"patient/Observation.cruds?category={OBSERVATIONS}|laboratory"}),
        ({"span-0": "chosen", "write-0": None, "see-1": None, "see-2": None,
          "part-0": [f"{OBSERVATIONS}|laboratory", f"{OBSERVATIONS}|vital-signs"]},
         {f"patient/Observation.rs?category={OBSERVATIONS}|laboratory",
          f"patient/Observation.rs?category={OBSERVATIONS}|vital-signs"}),
        ({"span-0": "chosen"}, {"patient/Condition.rs", "patient/Patient.r"}),
    ],
)  # fmt: skip
async def test_sa_12_the_person_keeps_back(
    pages: Cabinet, fields: dict[str, Any], kept: set[str]
) -> None:
    assert await granted(pages, ASKED, **fields) == kept | {"launch/patient"}


async def test_sa_12_of_everything_some_kinds(pages: Cabinet) -> None:
    found = await granted(
        pages,
        "launch/patient patient/*.cruds",
        **{"span-0": "chosen", "part-0": ["Appointment", "Patient"], "write-0": None},
    )
    assert found == {"launch/patient", "patient/Appointment.rs", "patient/Patient.rs"}


async def test_identity_and_lasting_access_can_be_kept_back(pages: Cabinet) -> None:
    scope = "openid fhirUser offline_access launch/patient patient/*.rs"
    found = await granted(pages, scope, identity=None, offline=None)
    assert found == {"launch/patient", "patient/*.rs"}


async def test_a_forged_form_adds_nothing(pages: Cabinet) -> None:
    found = await granted(
        pages,
        "launch/patient patient/Patient.r",
        **{"write-0": "yes", "part-0": "Observation", "span-0": "chosen", "see-1": "yes",
           "offline": "yes", "scopes": "patient/*.cruds"},
    )  # fmt: skip
    assert found == {"launch/patient", "patient/Patient.r"}


async def test_nothing_kept_is_a_refusal(pages: Cabinet) -> None:
    browser = await consenting(pages, await pages.smart.client(), scope="patient/Patient.r")
    answer = said((await browser.allow(**{"see-0": None})).headers["location"])
    assert answer["error"] == "access_denied"


async def test_sa_16_one_record_needs_no_choice(pages: Cabinet) -> None:
    browser = await consenting(pages, await pages.smart.client())
    assert 'name="patient"' not in browser.page
    assert "Иванова" in browser.page


async def representing(pages: Cabinet, **changes: Any) -> tuple[Client, Browser]:
    account = await pages.account()
    pages.represents.by_account[account.id] = ("ben",)
    client, browser = await pages.smart.client(), pages.browser()
    await browser.ask(client, **changes)
    await browser.sign_in(account.email)
    return client, browser


@pytest.mark.parametrize("patient", ["anna", "ben"])
async def test_sa_16_who_represents_others_chooses(pages: Cabinet, patient: str) -> None:
    client, browser = await representing(pages)
    assert "Бен" in browser.page
    answer = said((await browser.allow(patient=patient)).headers["location"])
    body = (await pages.smart.redeem(client, answer["code"])).json()
    assert body["patient"] == patient


@pytest.mark.parametrize("patient", ["eve", "nobody", "../ben", "Patient/ben"])
async def test_sa_17_a_record_of_others_is_refused(pages: Cabinet, patient: str) -> None:
    _, browser = await representing(pages)
    answer = said((await browser.allow(patient=patient)).headers["location"])
    assert answer["error"] == "access_denied"
    assert "code" not in answer


async def test_sa_18_without_a_choice_there_is_no_code(pages: Cabinet) -> None:
    _, browser = await representing(pages)
    response = await browser.allow(patient=None)
    assert response.status_code == 400
    assert "Choose whose record" in browser.page


async def test_sa_18_a_patient_scope_alone_asks_for_a_record_too(pages: Cabinet) -> None:
    client, browser = await representing(pages, scope="patient/Patient.r")
    answer = said((await browser.allow(patient="ben")).headers["location"])
    assert (await pages.smart.redeem(client, answer["code"])).json()["patient"] == "ben"


async def test_an_account_without_a_record_is_told_so(pages: Cabinet) -> None:
    account = await pages.account(patient=None)
    browser = pages.browser()
    await browser.ask(await pages.smart.client())
    await browser.sign_in(account.email)
    await browser.allow()
    assert "no record that you may open" in browser.page


async def test_staff_name_a_patient_that_exists(pages: Cabinet) -> None:
    doctor = await pages.account(patient=None, staff=True, user="Practitioner/who")
    client, browser = await pages.smart.client(), pages.browser()
    await browser.ask(client, scope="launch/patient patient/Patient.r")
    await browser.sign_in(doctor.email)
    assert (await browser.allow(patient="nobody")).status_code == 400
    answer = said((await browser.allow(patient="eve")).headers["location"])
    assert (await pages.smart.redeem(client, answer["code"])).json()["patient"] == "eve"


@pytest.mark.parametrize(("chosen", "days"), [("1", 1), ("365", 365), ("", None), ("x", 90)])
async def test_the_person_says_for_how_long(
    pages: Cabinet, chosen: str, days: int | None
) -> None:
    account = await pages.account()
    client, browser = await pages.smart.client(), pages.browser()
    await browser.ask(client)
    await browser.sign_in(account.email)
    await browser.allow(duration=chosen)
    (grant,) = await pages.smart.ports.grants.of_account(account.id)
    ends = None if days is None else pages.smart.clock.now() + days * 86_400_000
    assert grant.expires == ends


async def test_a_request_is_answered_once(pages: Cabinet) -> None:
    browser = await consenting(pages, await pages.smart.client())
    page = browser.page
    assert "code" in said((await browser.allow()).headers["location"])
    browser.page = page
    await browser.allow()
    assert browser.heading == "This request is over"


async def test_consent_needs_a_session(pages: Cabinet) -> None:
    browser = await consenting(pages, await pages.smart.client())
    page = browser.page
    await browser.post("/auth/sign-out")
    browser.page = page
    assert (await browser.allow()).status_code == 403  # the token went with the session
    client = await pages.smart.client()
    await browser.ask(client)
    name = str(browser.response.url).partition("request=")[2]
    await browser.get("/auth/consent", request=name)
    assert browser.heading == "Sign in"


async def launched(pages: Cabinet, client: Client, account: str | None = None) -> str:
    """A launch of Ben's record."""
    secret = f"launch-{client.id}"
    context = LaunchContext(patient="ben")
    expires = pages.smart.clock.now() + 300_000
    launch = Launch(digest(secret), client.id, "portal", context, expires, account)
    await pages.smart.ports.launches.put(launch)
    return secret


async def test_ehr_02_a_launch_brings_its_patient(pages: Cabinet) -> None:
    client = await pages.smart.client()
    doctor = await pages.account(patient=None, staff=True, user="Practitioner/who")
    secret = await launched(pages, client)
    browser = pages.browser()
    await browser.ask(client, launch=secret, scope="launch patient/Patient.r")
    await browser.sign_in(doctor.email)
    assert "Бен" in browser.page
    assert 'name="patient"' not in browser.page
    answer = said((await browser.allow(patient="anna")).headers["location"])
    assert (await pages.smart.redeem(client, answer["code"])).json()["patient"] == "ben"


async def test_ehr_14_another_person_than_the_portals_is_refused(pages: Cabinet) -> None:
    client = await pages.smart.client()
    meant, other = await pages.account(), await pages.account()
    for each in (meant, other):
        pages.represents.by_account[each.id] = ("ben",)
    secret = await launched(pages, client, account=meant.id)
    browser = pages.browser()
    await browser.ask(client, launch=secret, scope="launch patient/Patient.r")
    await browser.sign_in(other.email)
    answer = said((await browser.allow()).headers["location"])
    assert (answer["error"], answer.get("code")) == ("access_denied", None)


async def test_the_redirect_of_an_app_on_a_phone_is_allowed(pages: Cabinet) -> None:
    client = await pages.smart.client(redirect_uris=["com.app.diary:/back"])
    browser = await consenting(pages, client, redirect_uri="com.app.diary:/back")
    policy = browser.response.headers["content-security-policy"]
    assert policy.endswith("form-action 'self' com.app.diary:")
    answer = await browser.allow()
    assert answer.headers["location"].startswith("com.app.diary:/back?code=")


async def test_code_and_secrets_are_not_in_the_urls_of_pages(pages: Cabinet) -> None:
    browser = await consenting(pages, await pages.smart.client())
    parked = next(
        value for name, value in browser.http.cookies.items() if "request-" in name and value
    )
    found = await pages.smart.ports.parked.find(parked)
    assert isinstance(found, Parked)
    assert parked not in str(browser.response.url)
    assert parked not in browser.page


async def test_sa_28_consent_cannot_be_given_around_a_new_sign_in(pages: Cabinet) -> None:
    account, client = await pages.account(), await pages.smart.client()
    browser = pages.browser()
    await browser.sign_in(account.email)
    pages.smart.clock.tick(120)
    await browser.ask(client, prompt="login")
    assert browser.heading == "Sign in"
    name = browser.request["request"]
    for answer in (
        await browser.get("/auth/consent", request=name),
        await browser.post(f"/auth/consent?request={name}", answer="allow", **{"see-0": "yes"}),
    ):
        assert answer.status_code == 200
        assert browser.heading == "Sign in"
