"""Registration by invitation, recovery and change of passwords (S0-01 to S0-09).

https://pages.nist.gov/800-63-4/sp800-63b.html
"""

import asyncio
import time
from collections.abc import Sequence

import pytest

from fhir_server.access.required import Required
from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.accounts import inviting, registering, standing
from fhir_server.cabinet.accounts.fhir_records import FhirRecords
from fhir_server.cabinet.accounts.inviting import UninvitedError
from fhir_server.cabinet.accounts.refusals import WrongError
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import Read, Update
from fhir_server.interactions.context import Context
from fhir_server.interactions.read import read
from fhir_server.interactions.update import update
from fhir_server.store.accounts import Account
from tests.support.smart import numbers, said
from tests.support.web import PASSWORD, Browser, Cabinet

pytestmark = pytest.mark.anyio

FRESH = "staple gallop violet"


async def patient(pages: Cabinet) -> dict[str, str]:
    """A record of its own, and what its patient would type."""
    number = next(numbers)
    email = f"patient{number}@mail.example"
    resource = {
        "resourceType": "Patient",
        "id": f"p{number}",
        "name": [{"family": "Щербако\u0301ва-Ёлкина", "given": ["Галина", "Олеговна"]}],
        "birthDate": "1970-01-02",
        "telecom": [{"system": "email", "value": email}],
    }
    ctx = Context(pages.fhir, UNLIMITED)
    await update(ctx, Update("Patient", str(resource["id"]), resource))
    return {
        "id": f"p{number}",
        "email": email,
        "family": "щербакова-елкина",
        "given": "Галина",
        "birth_date": "1970-01-02",
    }


async def invited(pages: Cabinet) -> dict[str, str]:
    who = await patient(pages)
    await inviting.invite(pages.site.accounts, who["id"], "en")
    return who


async def asked(pages: Cabinet, who: dict[str, str], **changes: str) -> Browser:
    """A browser that has told who it is, and waits for the code."""
    browser = pages.browser()
    await browser.get("/auth/sign-up")
    claim = {key: who[key] for key in ("email", "family", "given", "birth_date")}
    await browser.submit(**{**claim, **changes})
    await pages.site.later.drain()
    return browser


async def confirmed(
    browser: Browser, email: str, code: str, password: str = FRESH, again: str = ""
) -> None:
    await browser.submit(email=email, code=code, password=password, again=again or password)


async def test_s0_02_to_06_from_invitation_to_account(pages: Cabinet) -> None:
    who = await invited(pages)
    assert "/auth/sign-up?invitation=" in pages.mailbox.to(who["email"])[0].text
    browser = await asked(pages, who)
    assert browser.heading == "Code and new password"
    await confirmed(browser, who["email"], pages.mailbox.code(who["email"]))
    assert browser.heading == "You are registered"
    await browser.sign_in(who["email"], FRESH)
    assert browser.heading == "Your account"
    account = await pages.state.accounts.by_email(who["email"])
    assert account is not None
    assert (account.patient, account.level) == (who["id"], 2)
    assert pages.told.kinds == ["invited", "registered", "signed-in"]


async def test_s0_06_a_person_stands_for_the_account(pages: Cabinet) -> None:
    who = await invited(pages)
    browser = await asked(pages, who)
    await confirmed(browser, who["email"], pages.mailbox.code(who["email"]))
    account = await pages.state.accounts.by_email(who["email"])
    assert account is not None
    assert account.person is not None
    found = await read(Context(pages.fhir, UNLIMITED), Read("Person", account.person))
    assert found.version is not None
    body = found.version.body.decode()
    assert f'"reference":"Patient/{who["id"]}"' in body
    assert '"assurance":"level2"' in body


async def missing(_: str) -> Sequence[Required]:
    title = Text("Telemedicine", "Телемедицина", "Телемедицина")
    return (Required((), title, title),)


async def test_s0_01_without_the_consents_nobody_is_invited(pages: Cabinet) -> None:
    who = await patient(pages)
    strict = pages.with_accounts(records=FhirRecords(pages.fhir, consents=missing))
    with pytest.raises(UninvitedError) as caught:
        await inviting.invite(strict.site.accounts, who["id"], "en")
    assert [each.en for each in caught.value.missing] == ["Telemedicine"]
    assert pages.mailbox.to(who["email"]) == []


async def test_s0_01_consents_withdrawn_after_the_invitation_count(pages: Cabinet) -> None:
    who = await invited(pages)
    strict = pages.with_accounts(records=FhirRecords(pages.fhir, consents=missing))
    await asked(strict, who)
    assert len(pages.mailbox.to(who["email"])) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"family": "Иванова"},
        {"given": "Олеговна"},
        {"birth_date": "1970-01-03"},
        {"email": "another@mail.example"},
    ],
)
async def test_s0_04_all_four_have_to_match(pages: Cabinet, changes: dict[str, str]) -> None:
    who = await invited(pages)
    browser = await asked(pages, who, **changes)
    assert browser.heading == "Code and new password"
    assert len(pages.mailbox.to(who["email"])) == 1  # the invitation
    assert pages.mailbox.to("another@mail.example") == []


async def test_s0_04_who_was_not_invited_gets_no_code(pages: Cabinet) -> None:
    who = await patient(pages)
    await asked(pages, who)
    assert pages.mailbox.to(who["email"]) == []
    await asked(pages.with_policy(registration="matched"), who)
    assert len(pages.mailbox.to(who["email"])) == 1


@pytest.mark.alone
async def test_s0_04_a_match_and_none_answer_the_same_in_the_same_time(
    pages: Cabinet,
) -> None:
    who = await invited(pages)
    lenient = pages.with_policy(resend=100)
    times: dict[str, list[float]] = {who["family"]: [], "Nobody": []}
    pages_seen = set()
    for _ in range(9):
        for family, found in times.items():
            browser = lenient.browser()
            await browser.get("/auth/sign-up")
            claim = {**who, "family": family, "csrf": browser.token}
            begun = time.perf_counter()
            sent = await browser.http.post("/auth/sign-up", data=claim)
            found.append(time.perf_counter() - begun)
            names = {each.partition("=")[0] for each in sent.headers.get_list("set-cookie")}
            pages_seen.add((sent.status_code, sent.headers["location"], str(names)))
            await lenient.site.later.drain()
    assert len(pages_seen) == 1
    one, other = (min(each) for each in times.values())  # what others do only adds
    assert 0.4 < one / other < 2.5


async def test_s0_05_a_code_is_good_for_a_day(pages: Cabinet) -> None:
    who = await invited(pages)
    browser = await asked(pages, who)
    pages.smart.clock.tick(24 * 3600)
    await confirmed(browser, who["email"], pages.mailbox.code(who["email"]))
    assert "The code is wrong" in browser.page
    assert await pages.state.accounts.by_email(who["email"]) is None


async def test_s0_06_a_wrong_code_writes_nothing_and_five_end_it(pages: Cabinet) -> None:
    who = await invited(pages)
    browser = await asked(pages, who)
    for _ in range(5):
        await confirmed(browser, who["email"], "WRONG-CODE2")
        assert "The code is wrong" in browser.page
    await confirmed(browser, who["email"], pages.mailbox.code(who["email"]))
    assert "The code is wrong" in browser.page
    assert await pages.state.accounts.by_email(who["email"]) is None


async def test_s0_06_of_parallel_uses_of_a_code_one_wins(pages: Cabinet) -> None:
    who = await invited(pages)
    await asked(pages, who)
    code = pages.mailbox.code(who["email"])

    async def one(number: int) -> Account | None:
        try:
            return await registering.register(
                pages.site.accounts, who["email"], code, f"{FRESH} {number}", "en"
            )
        except WrongError:
            return None

    made = [each for each in await asyncio.gather(*map(one, range(12))) if each is not None]
    assert len(made) == 1
    kept = await pages.state.accounts.by_email(who["email"])
    assert kept is not None
    assert kept.id == made[0].id


async def test_s0_06_a_code_is_its_address_own(pages: Cabinet) -> None:
    who, other = await invited(pages), await invited(pages)
    browser = await asked(pages, who)
    await asked(pages, other)
    await confirmed(browser, other["email"], pages.mailbox.code(who["email"]))
    assert "The code is wrong" in browser.page


@pytest.mark.parametrize(
    ("password", "again", "said_"),
    [
        ("short", "short", "at least 8"),
        (FRESH, "another one", "not the same"),
        ("password123", "password123", "easy to guess"),
    ],
)
async def test_s0_06_a_weak_password_uses_no_code(
    pages: Cabinet, password: str, again: str, said_: str
) -> None:
    who = await invited(pages)
    browser = await asked(pages, who)
    code = pages.mailbox.code(who["email"])
    await confirmed(browser, who["email"], code, password, again)
    assert said_ in browser.page
    await confirmed(browser, who["email"], code)
    assert browser.heading == "You are registered"


async def test_s1_26_an_address_has_one_account(pages: Cabinet) -> None:
    who = await invited(pages)
    browser = await asked(pages, who)
    await confirmed(browser, who["email"], pages.mailbox.code(who["email"]))
    await asked(pages, who)
    assert pages.mailbox.to(who["email"])[-1].subject == "You have an account"


async def test_codes_are_not_sent_without_end(pages: Cabinet) -> None:
    who = await invited(pages)
    strict = pages.with_policy(resend=2)
    for _ in range(4):
        await asked(strict, who)
    assert len(pages.mailbox.to(who["email"])) == 3  # the invitation and two codes


async def recovering(pages: Cabinet, email: str) -> Browser:
    browser = pages.browser()
    await browser.get("/auth/recover")
    await browser.submit(email=email)
    await pages.site.later.drain()
    assert browser.heading == "Code and new password"
    return browser


async def test_s0_07_revo_08_a_new_password_ends_sessions_and_apps(pages: Cabinet) -> None:
    account, client = await pages.account(), await pages.smart.client()
    other = pages.browser()
    await other.ask(client)
    await other.sign_in(account.email)
    code = said((await other.allow()).headers["location"])["code"]
    tokens = (await pages.smart.redeem(client, code)).json()
    browser = await recovering(pages, account.email)
    await confirmed(browser, account.email, pages.mailbox.code(account.email))
    assert browser.heading == "Your password is changed"
    await other.get("/auth/account")
    assert other.heading == "Sign in"
    assert not await pages.smart.works(tokens["access_token"])
    refreshed = await pages.smart.refresh(client, tokens["refresh_token"])
    assert refreshed.status_code == 400
    await browser.sign_in(account.email, FRESH)
    assert browser.heading == "Your account"
    assert pages.mailbox.to(account.email)[-1].subject == "Your password was changed"


async def test_s0_07_unknown_addresses_get_nothing(pages: Cabinet) -> None:
    await recovering(pages, "unknown@mail.example")
    assert pages.mailbox.to("unknown@mail.example") == []


async def test_a_code_of_registration_recovers_nothing(pages: Cabinet) -> None:
    who = await invited(pages)
    await asked(pages, who)
    account = await pages.account(email=who["email"])
    browser = pages.browser()
    await browser.get("/auth/recover/confirm")
    await confirmed(browser, who["email"], pages.mailbox.code(who["email"]))
    assert "The code is wrong" in browser.page
    await browser.sign_in(account.email)
    assert browser.heading == "Your account"


async def test_s1_29_a_signed_in_person_changes_the_password(pages: Cabinet) -> None:
    account = await pages.account()
    browser, other = pages.browser(), pages.browser()
    for each in (browser, other):
        await each.sign_in(account.email)
    wrong = {"current": "wrong", "password": FRESH, "again": FRESH}
    await browser.post("/auth/password", **wrong)
    assert "password is wrong" in browser.page
    await browser.post("/auth/password", **{**wrong, "current": PASSWORD})
    assert "Your password is changed" in browser.page
    await browser.get("/auth/account")
    assert browser.heading == "Your account"
    await other.get("/auth/account")
    assert other.heading == "Sign in"


async def test_revo_08_a_locked_account_loses_sessions_and_apps(pages: Cabinet) -> None:
    account, client = await pages.account(), await pages.smart.client()
    browser = pages.browser()
    await browser.ask(client)
    await browser.sign_in(account.email)
    code = said((await browser.allow()).headers["location"])["code"]
    tokens = (await pages.smart.redeem(client, code)).json()
    assert await standing.lock(pages.site.accounts, account.email)
    await browser.get("/auth/account")
    assert browser.heading == "Sign in"
    assert not await pages.smart.works(tokens["access_token"])
    await browser.sign_in(account.email)
    assert "password is wrong" in browser.page
    assert await standing.unlock(pages.site.accounts, account.email)
    await browser.sign_in(account.email)
    assert browser.heading == "Your account"
