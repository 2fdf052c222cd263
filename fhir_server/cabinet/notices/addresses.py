"""Where a record says that its person is reached: the best address of each kind.

https://hl7.org/fhir/R4/datatypes.html#ContactPoint
"""

import re
from collections.abc import Iterator
from typing import Final

from fhir_server.access.periods import period
from fhir_server.cabinet.accounts import emails
from fhir_server.core.types import JsonObject

_LAST: Final = 1_000
"""Behind every rank: "if not specified, this is the lowest"."""
_UNUSED: Final = frozenset({"old", "temp"})
_LANDLINES: Final = frozenset({"home", "work"})
_NOISE: Final = re.compile(r"[\s().\-‐-―]+")
_NUMBER: Final = re.compile(r"\+[1-9]\d{7,14}")


def email_of(resource: JsonObject, now: int) -> str | None:
    """The address of e-mail that a Patient or Person is written to at `now`."""
    for _, each in sorted(_points(resource, now, {"email"}), key=lambda found: found[0]):
        address = emails.normal(each["value"])
        if emails.is_address(address):
            return address
    return None


def number_of(resource: JsonObject, now: int) -> str | None:
    """The number, as `+380441234567`, to which an SMS can be sent: one for SMS, or a phone
    that is not said to stand at home or at work."""
    found = _points(resource, now, {"sms", "phone"})
    for _, each in sorted(found, key=lambda found: (found[1]["system"] != "sms", found[0])):
        if each["system"] == "phone" and each.get("use") in _LANDLINES:
            continue
        number = _NOISE.sub("", each["value"])
        if _NUMBER.fullmatch(number):
            return number
    return None


def _points(
    resource: JsonObject, now: int, systems: set[str]
) -> Iterator[tuple[tuple[int, bool], JsonObject]]:
    for each in resource.get("telecom", ()):
        when = period(each.get("period"))
        if (
            each.get("system") in systems
            and isinstance(each.get("value"), str)
            and each.get("use") not in _UNUSED
            and when is not None
            and when.lo <= now < when.hi
        ):
            yield (int(each.get("rank", _LAST)), each.get("use") != "mobile"), each
