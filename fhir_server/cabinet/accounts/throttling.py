"""How often an address or a network may try: counted before the attempt, so that parallel
ones count too.

A name that no account has is counted like any other: being locked tells nothing.
"""

from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.cabinet.accounts.refusals import TooManyError
from fhir_server.core.addresses import party
from fhir_server.smart.digests import digest


async def count(ports: AccountPorts, what: str, whom: str, most: int, seconds: int) -> None:
    """Count one attempt.

    Raises:
        TooManyError: `most` were made in the window of `seconds` that the first one began.
    """
    now = ports.now()
    tries, ends = await ports.state.attempts.count(_key(what, whom), now, seconds * 1000)
    if tries > most:
        raise TooManyError(-(-(ends - now) // 1000), first=tries == most + 1)


async def forget(ports: AccountPorts, what: str, whom: str) -> None:
    """Count from the beginning: the attempt was a good one."""
    await ports.state.attempts.forget(_key(what, whom))


async def from_network(ports: AccountPorts, network: str) -> None:
    """Count what comes from one network address, whatever it tries.

    Raises:
        TooManyError: too much.
    """
    policy = ports.policy
    await count(ports, "network", party(network), policy.address_tries, policy.lockout_seconds)


def _key(what: str, whom: str) -> str:
    return digest(f"{what}:{whom}")
