"""The search parameters a server knows: R4's own, those it comes with, and those posted to it.

One that it comes with is indexed in every write from the start on. A SearchParameter resource
that comes later is indexed in every write from then on. Either is usable in a search only when
the resources from before have been indexed for it (`$reindex`): until then an answer would miss
some of them.

https://hl7.org/fhir/R4/searchparameter.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fhir_server.core.errors import Conflict
from fhir_server.core.messages import Text
from fhir_server.spec.search_parameters import ALL, BY_URL, SearchParameter
from fhir_server.spec.structures import RESOURCE_TYPES, is_a

CODE_TAKEN: Final = Text(
    "The search parameter `{code}` of {type} is already defined by {url}.",
    "Параметр поиска `{code}` типа {type} уже определён в {url}.",
    "Параметр пошуку `{code}` типу {type} вже визначено в {url}.",
)

_NONE: Final[Mapping[str, SearchParameter]] = {}


ANY: Final = "*"
"""As an include: by every reference."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What an operator lets searches use of R4's own parameters, by resource type.

    Values are indexed all the same, so that what is offered later needs no reindexing.
    """

    parameters: Mapping[str, frozenset[str]]
    """Codes."""
    includes: Mapping[str, frozenset[str]]
    """`Observation:subject` under Observation; or `*`."""
    reverse_includes: Mapping[str, frozenset[str]]
    """`Observation:subject` under Patient."""


class Registry:
    """Search parameters by resource type and code.

    One registry serves a process; whoever adds or activates parameters does so on the event
    loop. `version` rises with every change, so that caches of compiled keys can tell.
    """

    def __init__(
        self,
        parameters: Iterable[SearchParameter] = ALL,
        *,
        offered: Offered | None = None,
        shipped: Mapping[str, SearchParameter] = _NONE,
    ) -> None:
        """`offered` None: everything; `shipped` by URL, without clashes (`search.custom`)."""
        self.version = 0
        self._offered: Final = offered
        self._standard: Final = tuple(parameters)
        self.shipped: Final = shipped
        self._custom: dict[str, tuple[SearchParameter, bool]] = {
            url: (each, False) for url, each in shipped.items()
        }
        self._usable: dict[str, dict[str, SearchParameter]] = {}
        self._indexed: dict[str, dict[str, SearchParameter]] = {}
        self._rebuild()

    def find(self, kind: str, code: str) -> SearchParameter | None:
        """The parameter `code` of resource type `kind`, if searches may use it."""
        return self._usable.get(kind, _NONE).get(code)

    def all(self, kind: str) -> Mapping[str, SearchParameter]:
        """Every parameter of `kind` that searches may use, by code."""
        return self._usable.get(kind, _NONE)

    def indexed(self, kind: str) -> Mapping[str, SearchParameter]:
        """Every parameter whose values a write of `kind` must record, by code."""
        return self._indexed.get(kind, _NONE)

    def is_pending(self, kind: str, code: str) -> bool:
        """Whether `code` was added and waits for `$reindex`."""
        found = self.indexed(kind).get(code)
        added = found is not None and found.url in self._custom
        return added and code not in self.all(kind)

    def may_include(self, kind: str, code: str) -> bool:
        """Whether `_include` may follow the references `code` of `kind`; `*`: all of them."""
        return self._may_link(kind, kind, code, reverse=False)

    def may_reverse(self, kind: str, source: str, code: str) -> bool:
        """Whether `_revinclude` may add to `kind` what refers to it by `code` of `source`."""
        return self._may_link(kind, source, code, reverse=True)

    def _may_link(self, kind: str, source: str, code: str, *, reverse: bool) -> bool:
        if self._offered is None:
            return True
        found = self._usable.get(source, _NONE).get(code)
        if found is not None and found.url in self._custom:
            return True
        row = self._offered.reverse_includes if reverse else self._offered.includes
        name = ANY if code == ANY else f"{source}:{code}"
        return name in row.get(kind, ())

    def defined(self, url: str) -> SearchParameter | None:
        """The parameter with the canonical `url`, usable or not."""
        added = self._custom.get(url)
        return added[0] if added else BY_URL.get(url)

    def custom(self) -> Mapping[str, SearchParameter]:
        """The parameters that are not R4's, by canonical URL."""
        return {url: parameter for url, (parameter, _) in self._custom.items()}

    def add(self, parameter: SearchParameter, *, usable: bool = False) -> None:
        """Take in a custom parameter, in place of an earlier one with the same URL.

        Raises:
            Conflict: one of its types has another parameter with this code.
        """
        self.refuse_taken(parameter)
        self._custom[parameter.url] = (parameter, usable)
        self._rebuild()

    def refuse_taken(self, parameter: SearchParameter) -> None:
        """Check that `parameter` can be added.

        Raises:
            Conflict: one of its types has another parameter with this code.
        """
        for kind in kinds_of(parameter):
            other = self.indexed(kind).get(parameter.code)
            if other and other.url != parameter.url:
                raise Conflict(CODE_TAKEN, code=parameter.code, type=kind, url=other.url)

    def activate(self, url: str) -> None:
        """Make the custom parameter `url` usable: everything is indexed for it now."""
        if url in self._custom:
            self._custom[url] = (self._custom[url][0], True)
            self._rebuild()

    def replace(self, parameters: Mapping[str, tuple[SearchParameter, bool]]) -> bool:
        """Take in exactly these custom parameters, by URL, with whether each is usable; they
        do not clash (`search.custom`). Whether anything changed."""
        if dict(parameters) == self._custom:
            return False
        self._custom = dict(parameters)
        self._rebuild()
        return True

    def remove(self, url: str) -> None:
        """Forget the custom parameter `url`."""
        if self._custom.pop(url, None):
            self._rebuild()

    def _rebuild(self) -> None:
        added = [parameter for parameter, _ in self._custom.values()]
        usable = [parameter for parameter, is_usable in self._custom.values() if is_usable]
        self._indexed = _by_type((*self._standard, *added))
        self._usable = self._searched(usable)
        self.version += 1

    def _searched(
        self, added: Iterable[SearchParameter]
    ) -> dict[str, dict[str, SearchParameter]]:
        found = _by_type(self._standard)
        if self._offered is not None:
            codes = self._offered.parameters
            found = {
                kind: {code: p for code, p in row.items() if code in codes.get(kind, ())}
                for kind, row in found.items()
            }
        for kind, row in _by_type(added).items():
            found[kind] |= row
        return found


def kinds_of(parameter: SearchParameter) -> list[str]:
    """The concrete resource types `parameter` is defined on."""
    return [kind for base in parameter.base for kind in _concrete(base)]


def _concrete(base: str) -> list[str]:
    if base in ("Resource", "DomainResource"):
        return [kind for kind in RESOURCE_TYPES if is_a(kind, base)]
    return [base]


def _by_type(parameters: Iterable[SearchParameter]) -> dict[str, dict[str, SearchParameter]]:
    found: dict[str, dict[str, SearchParameter]] = {kind: {} for kind in RESOURCE_TYPES}
    for parameter in parameters:
        for kind in kinds_of(parameter):
            found[kind][parameter.code] = parameter
    return found
