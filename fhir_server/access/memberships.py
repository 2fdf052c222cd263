"""Which roles, teams and groups somebody is in, and since when until when.

A Consent may name a PractitionerRole, Organization, CareTeam or Group as its actor; whoever
belongs to it is meant, as long as that holds. What is over, or not in force, is no membership.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.actor
"""

from collections.abc import Iterable, Iterator
from typing import Final

from fhir_server.access.periods import period
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.search.values import Interval

JOINED: Final = {
    "CareTeam": ("participant", "member"),
    "Group": ("member", "entity"),
}
"""The list of those who belong, and in each entry the reference to one."""

_TEAMS_IN_FORCE: Final = frozenset({"active", "proposed"})


def spans(resource: JsonObject, user: str, *bases: str) -> tuple[Interval, ...]:
    """When `user` (a reference) belongs to a PractitionerRole, CareTeam or Group; `bases` are
    URLs of this server, without a slash at the end."""
    whole = period(resource.get("period"))
    if whole is None or not _is_in_force(resource):
        return ()
    found = (_common(whole, period(each)) for each in _stays(resource, user, bases))
    return tuple(each for each in found if each is not None and each.lo < each.hi)


def _is_in_force(resource: JsonObject) -> bool:
    return (
        resource.get("active", True) is True
        and resource.get("status", "active") in _TEAMS_IN_FORCE
    )


def _stays(
    resource: JsonObject, user: str, bases: tuple[str, ...]
) -> Iterator[JsonObject | None]:
    """The period of each entry that names the user."""
    if resource["resourceType"] not in JOINED:
        if _target(resource.get("practitioner"), bases) == user:
            yield None
        return
    entries, named = JOINED[resource["resourceType"]]
    for each in resource.get(entries, ()):
        if _target(each.get(named), bases) == user and each.get("inactive") is not True:
            yield each.get("period")


def _target(reference: JsonObject | None, bases: tuple[str, ...]) -> str:
    return references.parse((reference or {}).get("reference", ""), *bases).target


def _common(one: Interval, other: Interval | None) -> Interval | None:
    if other is None:
        return None
    return Interval(max(one.lo, other.lo), min(one.hi, other.hi))


def memberships(
    resources: Iterable[JsonObject], user: str, now: int, *bases: str
) -> Iterator[str]:
    """References of those among `resources` that `user` belongs to at `now` (milliseconds
    since 1970), and of the organizations of roles."""
    for each in resources:
        if any(span.lo <= now < span.hi for span in spans(each, user, *bases)):
            yield f"{each['resourceType']}/{each['id']}"
            works = _target(each.get("organization"), bases)
            if works.startswith("Organization/"):
                yield works


def part_of(organization: JsonObject, *bases: str) -> str:
    """Reference of what an Organization is a part of; empty: of nothing."""
    return _target(organization.get("partOf"), bases)


def is_widened(before: JsonObject | None, after: JsonObject, user: str, *bases: str) -> bool:
    """Whether `user` belongs to `after` at a time at which it did not to `before`."""
    old = () if before is None else spans(before, user, *bases)
    return not all(
        any(known.lo <= new.lo and new.hi <= known.hi for known in old)
        for new in spans(after, user, *bases)
    )
