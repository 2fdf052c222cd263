"""What rights are made of, as the store has it now: Consents, relations, memberships.

The server asks these questions for itself; of the answers a caller sees only what they make of
its rights. Too many of anything is refused: what is left out might be a denial.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fhir_server.access.consents import NO_DIRECTIVES
from fhir_server.access.memberships import memberships, part_of
from fhir_server.access.principal import Principal
from fhir_server.core.errors import TooCostly
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Services
from fhir_server.search import keys
from fhir_server.search.nodes import intersection
from fhir_server.search.plan import UNRESTRICTED, Ids, Keys, Node, Not
from fhir_server.store.port import Stored

TOO_MANY: Final = Text(
    "More than {most} resources of type {type} decide about this request. "
    "Ask for one patient at a time.",
    "Этот запрос зависит от более чем {most} ресурсов {type}. Запрашивайте по одному пациенту.",
    "Цей запит залежить від понад {most} ресурсів {type}. Запитуйте по одному пацієнту.",
)

MOST_CONSENTS: Final = 20_000
"""Of all patients together, for callers not bound to some: 100 MB while they are read."""
MOST_OF_ONE: Final = 1_000
"""Resources of one type about one user or a few patients."""
MOST_HIGH: Final = 10
"""Organizations above one another that are looked at."""

_ORGANIZATION: Final = "Organization/"

_ACTIVE: Final[Node] = Keys("tokens", (keys.token("status", None, "active"),))
_RECORDS: Final = Keys("tokens", tuple(keys.token("category", *each) for each in NO_DIRECTIVES))
DIRECTIVES: Final = intersection((_ACTIVE, Not(_RECORDS)))
"""Active Consents that may say who sees what."""


class Facts:
    """Questions to the store."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def own(self, principal: Principal) -> frozenset[str]:
        """Logical ids of the patients that the user is, directly or by a Person."""
        kind, _, id_ = (principal.user or "").partition("/")
        if kind == "Patient":
            return frozenset((id_,))
        persons = await self.find("Person", Ids((id_,)), 1) if kind == "Person" else []
        named = [link for each in persons for link in _links(each)]
        return frozenset(
            link.removeprefix("Patient/") for link in named if link.startswith("Patient/")
        )

    async def relations(self, user: str) -> list[JsonObject]:
        """The RelatedPersons that `user` (a reference) is, directly or by a Person."""
        kind, _, id_ = user.partition("/")
        named: list[str] = [user] if kind == "RelatedPerson" else []
        if kind == "Person":
            persons = await self.find("Person", Ids((id_,)), 1)
        else:
            persons = await self.referring("Person", "link", (user,))
        for each in persons:
            named += [link for link in _links(each) if link.startswith("RelatedPerson/")]
        ids = tuple(each.partition("/")[2] for each in named)
        return await self.find("RelatedPerson", Ids(ids), len(ids)) if ids else []

    async def memberships(self, principal: Principal) -> list[str]:
        """The roles, teams and groups that a practitioner is in now, and where they work."""
        user = principal.user
        if user is None:
            return []
        rows: list[JsonObject] = []
        for kind, code in (
            ("PractitionerRole", "practitioner"),
            ("CareTeam", "participant"),
            ("Group", "member"),
        ):
            rows += await self.referring(kind, code, (user,))
        now, base = self._services.now(), self._services.base_url
        return list(dict.fromkeys(memberships(rows, user, now, base)))

    async def above(self, references: Iterable[str]) -> list[str]:
        """The organizations that those among `references` are parts of, and so on upwards."""
        base = self._services.base_url
        level = {each for each in references if each.startswith(_ORGANIZATION)}
        found: dict[str, None] = {}
        for _ in range(MOST_HIGH):
            ids = tuple(sorted(each.removeprefix(_ORGANIZATION) for each in level))
            rows = await self.find("Organization", Ids(ids), len(ids)) if ids else []
            parents = {part_of(each, base) for each in rows}
            level = {each for each in parents if each.startswith(_ORGANIZATION)} - found.keys()
            found.update(dict.fromkeys(sorted(level)))
        return list(found)

    async def referred(self, instances: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """What each of `instances` (`DiagnosticReport/r1`) refers to."""
        found: dict[str, frozenset[str]] = {}
        for each in sorted(instances):
            kind, _, id_ = each.partition("/")
            for resource in await self.find(kind, Ids((id_,)), 1):
                values = self._services.index(resource)
                found[each] = frozenset(k.partition("|")[2] for k in values.references)
        return found

    async def consents(self, patients: tuple[str, ...]) -> list[JsonObject]:
        """The active Consents of `patients`."""
        return [self._parsed(row) for row in await self._of(patients, _ACTIVE)]

    async def directives(self, patients: tuple[str, ...] | None) -> Sequence[Stored]:
        """Those of `patients`, or of everybody, that may say who sees what: without records of
        grants, of which every app that was let in makes one."""
        if patients is None:
            return await self._rows("Consent", DIRECTIVES, MOST_CONSENTS)
        return await self._of(patients, DIRECTIVES)

    async def _of(self, patients: tuple[str, ...], which: Node) -> Sequence[Stored]:
        named = tuple(keys.reference("patient", f"Patient/{each}") for each in patients)
        theirs = intersection((Keys("references", named), which))
        return await self._rows("Consent", theirs, MOST_OF_ONE) if patients else ()

    async def referring(
        self, kind: str, code: str, targets: tuple[str, ...]
    ) -> list[JsonObject]:
        """Those of `kind` whose reference parameter `code` names one of `targets`."""
        where = Keys("references", tuple(keys.reference(code, each) for each in targets))
        return await self.find(kind, where, MOST_OF_ONE) if targets else []

    async def find(self, kind: str, where: Node, limit: int) -> list[JsonObject]:
        """All that match.

        Raises:
            TooCostly: they are more than `limit`.
        """
        return [self._parsed(row) for row in await self._rows(kind, where, limit)]

    def _parsed(self, row: Stored) -> JsonObject:
        return loads(row.body, max_depth=self._services.limits.depth)

    async def _rows(self, kind: str, where: Node, limit: int) -> Sequence[Stored]:
        # The server's own question, of which the caller sees the outcome alone.
        rows = await self._services.store.find(
            kind, where, limit=limit + 1, within=UNRESTRICTED
        )
        if len(rows) > limit:  # what is left out might be a denial
            raise TooCostly(TOO_MANY, most=limit, type=kind)
        return rows


def _links(person: JsonObject) -> list[str]:
    """What a Person is: references of the resources it links to; nothing once it is not in
    use."""
    if person.get("active", True) is not True:
        return []
    return [each.get("target", {}).get("reference", "") for each in person.get("link", ())]
