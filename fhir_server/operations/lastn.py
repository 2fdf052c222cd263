"""Observation/$lastn: the most recent observations of each kind, for one patient.

Two observations are of one kind when their codes share a coding, or without codings their
text.

https://hl7.org/fhir/R4/observation-operation-lastn.html
"""

from collections.abc import AsyncIterator, Iterable
from typing import Final

import msgspec

from fhir_server.core.bundles import searchset, stored_entries
from fhir_server.core.errors import MissingElement, TooCostly
from fhir_server.core.messages import Text
from fhir_server.interactions.context import Context
from fhir_server.interactions.named_types import check_named
from fhir_server.interactions.results import Result
from fhir_server.operations import parameters
from fhir_server.operations.call import Call
from fhir_server.search.links import link
from fhir_server.search.plan import After, Node, Search, SortKey
from fhir_server.store.port import Stored

NEEDS_SUBJECT: Final = Text(
    "`patient` or `subject` is needed.",
    "Нужен параметр `patient` или `subject`.",
    "Потрібен параметр `patient` або `subject`.",
)
NEEDS_SCOPE: Final = Text(
    "`code` or `category` is needed besides the patient.",
    "Кроме пациента нужен параметр `code` или `category`.",
    "Окрім пацієнта потрібен параметр `code` або `category`.",
)
TOO_MANY: Final = Text(
    "More than {limit} observations match; narrow them by code or date.",
    "Подходит больше {limit} наблюдений; сузьте запрос кодом или датой.",
    "Підходить понад {limit} спостережень; звузьте запит кодом або датою.",
)

_STEP: Final = 500
_MOST: Final = 20_000
"""Observations looked through: decades of one person's laboratory."""
_NEWEST: Final = (SortKey("chief-date", "desc"),)
_SUBJECTS: Final = ("patient", "subject")


class _Coding(msgspec.Struct):
    system: str | None = None
    code: str | None = None


class _Concept(msgspec.Struct):
    coding: list[_Coding] = []
    text: str | None = None


class _Coded(msgspec.Struct):
    """The one element that grouping needs; the rest of the body is skipped, not parsed."""

    code: _Concept


_DECODER: Final = msgspec.json.Decoder(_Coded)


async def lastn(ctx: Context, call: Call) -> Result:
    """Up to `max` (1) observations of each kind, newest first.

    Raises:
        MissingElement: no patient, or neither code nor category.
        Invalid: a search parameter is wrong.
        TooCostly: too many observations match.
        Forbidden: a type is named that the caller has no scope for.
    """
    most = parameters.count("max", call.value("max"), least=1) or 1
    pairs = tuple((name, str(v)) for name, v in call.given() if name != "max")
    names = {name.partition(":")[0].partition(".")[0] for name, _ in pairs}
    if not names & set(_SUBJECTS):
        raise MissingElement(NEEDS_SUBJECT, expression="patient")
    if not names & {"code", "category"}:
        raise MissingElement(NEEDS_SCOPE, expression="code")
    compiled = ctx.services.compiler.search(("Observation",), pairs, lenient=ctx.lenient)
    check_named(ctx, compiled)
    groups = _Groups(most)
    async for row in _newest(ctx, compiled.where[0][1]):
        groups.add(row)
    base = ctx.services.base_url
    body = searchset(
        stored_entries(base, groups.kept, "match"),
        {"self": link(f"{base}/Observation/$lastn", (("max", str(most)), *pairs))},
        id_=ctx.services.new_id(),
        at=ctx.services.now(),
        total=len(groups.kept),
    )
    return Result(200, body=body, shown=groups.kept, wanted=True)


async def _newest(ctx: Context, where: Node) -> AsyncIterator[Stored]:
    after: After | None = None
    seen = 0
    while True:
        plan = Search("Observation", where, sort=_NEWEST, count=_STEP, after=after)
        page = await ctx.reads.search(plan, within=ctx.rights.search)
        for row in page.rows:
            yield row
        seen += len(page.rows)
        if not page.more:
            return
        if seen >= _MOST:
            raise TooCostly(TOO_MANY, limit=_MOST)
        last = page.rows[-1]
        after = After(last.sort_values, last.id)


class _Groups:
    """Rows kept, at most `most` of a kind."""

    def __init__(self, most: int) -> None:
        self.kept: list[Stored] = []
        self._most = most
        self._counts: list[int] = []
        self._group_of: dict[tuple[str | None, str | None], int] = {}

    def add(self, row: Stored) -> None:
        """Keep `row` unless its kind is full."""
        keys = list(_keys(_DECODER.decode(row.body).code))
        group = next((self._group_of[k] for k in keys if k in self._group_of), None)
        if group is None:
            group = len(self._counts)
            self._counts.append(0)
        self._group_of.update((key, group) for key in keys)
        if self._counts[group] < self._most:
            self._counts[group] += 1
            self.kept.append(row)


def _keys(concept: _Concept) -> Iterable[tuple[str | None, str | None]]:
    codings = [(each.system, each.code) for each in concept.coding if each.code is not None]
    return codings or [("", concept.text)]
