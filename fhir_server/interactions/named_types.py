"""Types that a search names: each needs a scope, as a search of that type alone would.

A type that the caller names and has no scope for is refused, with the scope: leaving it out in
silence would look as if there were nothing. What is only implied (all types of a search of the
system, `*`, where an included reference leads) is limited in silence. Scopes alone decide, and
what was stored never does: so the refusal tells nothing of data.

| named by                                      | needs                                     |
|-----------------------------------------------|-------------------------------------------|
| `_type=A,B`                                   | search of each                            |
| `subject:Patient.name`, `_has:A:code:…`       | search of it                              |
| `subject.name`, `code:below` of a reference   | search of one of the types it may lead to |
| `_list`                                       | search of List                            |
| `_include=A:code:B`                           | read of B; read or search of A            |
| `_revinclude=A:code`                          | search of A                               |

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Iterable, Iterator

from fhir_server.interactions.context import Context
from fhir_server.interactions.permits import check_letter
from fhir_server.search.compile import CompiledSearch
from fhir_server.search.include import Include
from fhir_server.search.nodes import parts
from fhir_server.search.plan import Chain, Has, Listed, Node, Or
from fhir_server.search.registry import ANY

Alternatives = tuple[str, ...]
"""Types of which one will do."""


def check_named(ctx: Context, compiled: CompiledSearch) -> None:
    """Raise Forbidden where a search names a type that the caller has no scope for."""
    for kind in compiled.request.types:
        check_letter(ctx, "s", kind)
    for kind, node in compiled.where:
        if ctx.rights.allows("s", kind):
            check_links(ctx, node)
    for include in compiled.includes:
        _check_include(ctx, include)


def check_links(ctx: Context, node: Node) -> None:
    """Raise Forbidden where `node` asks about a type that the caller has no scope for: what
    it selects by could not be told."""
    for kinds in _linked(node):
        if not any(ctx.rights.allows("s", kind) for kind in kinds):
            check_letter(ctx, "s", kinds[0])


def _linked(node: Node) -> Iterator[Alternatives]:
    """The types that each link of `node` leads to."""
    together: set[int] = set()
    for part in parts(node):
        if isinstance(part, Or):
            chains = [each for each in part.of if isinstance(each, Chain)]
            together.update(map(id, chains))
            yield from _by_parameter(chains)
        elif isinstance(part, Has) or (isinstance(part, Chain) and id(part) not in together):
            yield (part.type,)
        elif isinstance(part, Listed):
            yield ("List",)


def _by_parameter(chains: Iterable[Chain]) -> Iterator[Alternatives]:
    found: dict[str, list[str]] = {}
    for each in chains:
        found.setdefault(each.param, []).append(each.type)
    yield from (tuple(kinds) for kinds in found.values())


def _check_include(ctx: Context, include: Include) -> None:
    if include.reverse:
        if include.source != ANY:
            check_letter(ctx, "s", include.source)
        return
    if include.target is not None:
        check_letter(ctx, "r", include.target)
    if include.source != ANY and not ctx.rights.allows("s", include.source):
        check_letter(ctx, "r", include.source)
