"""Passkeys: a key pair for each account, kept by the person's device and opened by the person.

One is asked for with user verification (fingerprint, face, PIN), so a sign-in with it is as
good as two steps. A challenge is this browser's, lives for minutes and is used once.

https://www.w3.org/TR/webauthn-3/
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.cabinet.accounts.refusals import WrongError
from fhir_server.core.messages import Text
from fhir_server.smart.digests import digest
from fhir_server.store.accounts import Account, Passkey, PendingSignIn

AMR: Final = ("swk", "mfa")
MOST: Final = 10
"""Passkeys of an account."""

REFUSED: Final = Text(
    "The passkey was not accepted.", "Ключ доступа не принят.", "Ключ доступу не прийнято."
)
_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Party:
    """The relying party, as browsers know it."""

    host: str
    origin: str
    name: str


async def to_create(
    ports: AccountPorts, party: Party, account: Account
) -> tuple[Mapping[str, Any], str]:
    """Options for making a passkey, and the browser's secret."""
    secret, challenge = await _challenge(ports, account.id)
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=party.name,
        user_id=account.id.encode(),
        user_name=account.email,
        user_display_name=account.name,
        challenge=challenge,
        exclude_credentials=[
            PublicKeyCredentialDescriptor(base64url_to_bytes(each.id))
            for each in account.passkeys
        ],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return json.loads(options_to_json(options)), secret


async def to_get(ports: AccountPorts, party: Party) -> tuple[Mapping[str, Any], str]:
    """Options for signing in, and the browser's secret; whose passkey it is shows later."""
    secret, challenge = await _challenge(ports, "")
    options = webauthn.generate_authentication_options(
        rp_id=party.host,
        challenge=challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return json.loads(options_to_json(options)), secret


async def _challenge(ports: AccountPorts, account: str) -> tuple[str, bytes]:
    secret, challenge = ports.new_secret(), ports.new_secret()
    ends = ports.now() + _SECONDS * 1000
    pending = PendingSignIn(
        digest(secret), account, (), ends, challenge=challenge, kind="passkey"
    )
    await ports.state.pending.put(pending)
    return secret, base64url_to_bytes(challenge)


async def _asked(ports: AccountPorts, secret: str, account: str) -> bytes:
    """The challenge that this browser was given; used up.

    Raises:
        WrongError: none, or not for this.
    """
    found = await ports.state.pending.find(digest(secret))
    if found is None or found.kind != "passkey" or found.account != account:
        raise WrongError(REFUSED)
    if ports.now() >= found.expires or not await ports.state.pending.use(
        found.digest, ports.now()
    ):
        raise WrongError(REFUSED)
    return base64url_to_bytes(found.challenge)


async def add(
    ports: AccountPorts, party: Party, account: Account, secret: str, credential: str
) -> None:
    """Keep a new passkey.

    Raises:
        WrongError: it is not one that was asked for, or there are too many.
    """
    challenge = await _asked(ports, secret, account.id)
    if len(account.passkeys) >= MOST:
        raise WrongError(REFUSED)
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise WrongError(REFUSED) from error
    id_ = bytes_to_base64url(made.credential_id)
    if await ports.state.accounts.by_passkey(id_) is not None:
        raise WrongError(REFUSED)
    fresh = Passkey(id_, made.credential_public_key, made.sign_count, "", ports.now())
    await ports.state.accounts.change(account, passkeys=(*account.passkeys, fresh))


async def verify(ports: AccountPorts, party: Party, secret: str, credential: str) -> Account:
    """Whose passkey has answered the challenge.

    Raises:
        WrongError: nobody's.
    """
    challenge = await _asked(ports, secret, "")
    try:
        id_ = str(json.loads(credential)["id"])
    except (ValueError, TypeError, KeyError) as error:
        raise WrongError(REFUSED) from error
    account = await ports.state.accounts.by_passkey(id_)
    if account is None or account.standing != "active":
        raise WrongError(REFUSED)
    key = next(each for each in account.passkeys if each.id == id_)
    try:
        shown = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise WrongError(REFUSED) from error
    counted = replace(key, sign_count=shown.new_sign_count)
    kept = tuple(counted if each.id == id_ else each for each in account.passkeys)
    await ports.state.accounts.change(account, passkeys=kept)
    return account


async def remove(ports: AccountPorts, account: Account, credential: str) -> None:
    """Forget one."""
    kept = tuple(each for each in account.passkeys if each.id != credential)
    await ports.state.accounts.change(account, passkeys=kept)
