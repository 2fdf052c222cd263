"""Browsers in which somebody has signed in before: what strangers try does not lock these out.

Tries are counted by address, so that nobody guesses a password from many places; who only
wants to keep a person out could use that up. A browser that has been let in once has a count
of its own, which nobody else can reach.

https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

from typing import Final

from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.smart.digests import digest
from fhir_server.store.accounts import Account, Device

SECONDS: Final = 180 * 86_400
"""How long a browser is known."""


async def known(ports: AccountPorts, account: Account | None, secret: str) -> Device | None:
    """The browser with this secret, if `account` has signed in there since its password was
    last changed."""
    found = await ports.state.devices.find(digest(secret)) if secret else None
    if found is None or account is None or found.account != account.id:
        return None
    fresh = account.password_changed <= found.created
    return found if fresh and ports.now() < found.expires else None


async def remember(ports: AccountPorts, account: Account, secret: str) -> str | None:
    """Know the browser from now on: the secret that it is to keep; None: it has one."""
    if await known(ports, account, secret) is not None:
        return None
    fresh, now = ports.new_secret(), ports.now()
    await ports.state.devices.put(Device(digest(fresh), account.id, now, now + SECONDS * 1000))
    return fresh


def counted(name: str, device: Device | None) -> str:
    """Whose tries these are: of the address `name`, or of one browser at it."""
    return name if device is None else f"{name} {device.digest}"
