"""Random resources and plans over them, small enough that many values meet.

Every node of a plan occurs; the same seed gives the same ones.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from fhir_server.core.text import fold
from fhir_server.search import keys, prefixes
from fhir_server.search.evaluate import Record
from fhir_server.search.plan import (
    And,
    Chain,
    Compartment,
    Containing,
    Direction,
    Everything,
    Has,
    Ids,
    Keys,
    Listed,
    Near,
    Node,
    Not,
    Nothing,
    Only,
    Or,
    Patient,
    Prefix,
    Present,
    Range,
    Search,
    SortKey,
    Together,
    Updated,
    ValueField,
)
from fhir_server.search.values import (
    MAX_TIME,
    MIN_TIME,
    Combined,
    IndexValues,
    Interval,
    Ranged,
)

T = TypeVar("T")

KINDS = ("Observation", "Patient", "List")
CODES = ("a", "b", "a.b", "$or")
WORDS = ("иван", "ivan", "iv", "a.c", "a*c", "a\nc", "(", "", "\0x")
DAY = 86_400_000
KEY_FIELDS: tuple[ValueField, ...] = ("tokens", "strings", "references", "uris", "words")
RANGED: tuple[ValueField, ...] = ("dates", "quantities", "combined")
NUMBERS = (-1.5, 0.0, 1.0, 1.1, 5.0, 1e300)


class Maker:
    """Makes resources, plans and sorts from one source of chance."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)

    def records(self, count: int) -> list[Record]:
        """`count` resources of each type, with ids `0`, `1`, …"""
        return [
            Record(kind, str(n), self.chance.randrange(8), self.values())
            for kind in KINDS
            for n in range(count)
        ]

    def values(self) -> IndexValues:
        pick = self.chance.random
        return IndexValues(
            compartments=self._some([f"Patient/{n}" for n in range(4)]),
            patient=self._maybe(["0", "1", "2"]),
            tokens=self._pairs([self._coding() for _ in range(3)]),
            strings=self._pairs([self._string() for _ in range(3)]),
            references=self._some(
                [keys.reference("r", self._target()) for _ in range(4)]
                + [keys.reference("item", self._target()) for _ in range(3)]
            ),
            uris=self._some([self._key() for _ in range(2)]),
            words=self._some(
                [keys.word(param, self._word()) for param in ("_text", "_content", "_content")]
            ),
            dates=self._some([Ranged(self._code(), *self._date()) for _ in range(3)]),
            quantities=self._pairs([self._quantity() for _ in range(2)]),
            combined=self._some([self._combined() for _ in range(2)]),
            position=(pick() * 2, 50 + pick()) if pick() < 0.5 else None,
            sort_date=self._maybe([0, DAY, 2 * DAY]),
            sort_text=self._maybe(["a", "b"]),
            sort_text_last=self._maybe(["b", "c"]),
        )

    def node(self, depth: int = 3) -> Node:
        """A predicate of any kind."""
        if depth and self.chance.random() < 0.4:
            parts = tuple(self.node(depth - 1) for _ in range(self.chance.randint(1, 3)))
            kind = self._one(KINDS)
            options: list[Node] = [
                Not(parts[0]),
                And(parts),
                Or(parts),
                Chain("r", kind, parts[0]),
                Has(kind, "r", parts[0]),
            ]
            return self._one(options)
        return self._leaf()

    def local(self) -> Node:
        """A predicate that leads to no other resource, as those of a Restriction are here:
        one that led to its own type would never end."""
        leaves = [self._leaf() for _ in range(9)]
        plain = [each for each in leaves if not isinstance(each, Listed)]
        return self._one([plain[0], Not(plain[1]), Or((plain[0], plain[1], plain[2]))])

    def search(self, kind: str, count: int) -> Search:
        """A first page."""
        sort = tuple(self._sort_key() for _ in range(self.chance.randint(0, 2)))
        sort = sort[:1] if sort and sort[0].by == "id" else sort  # as the compiler leaves it
        return Search(kind, self.node(), sort, count, total="accurate")

    def _leaf(self) -> Node:
        field = self._one(KEY_FIELDS)
        start = self._one([f"{self._code()}|", "s|", "s=|", "s:text|", "r|", "_text|"])
        everywhere: list[Node] = [
            Everything(),
            Nothing(),
            Listed(str(self.chance.randrange(5))),
        ]
        options: list[Node] = [
            self._one(everywhere),
            Ids(tuple(str(self.chance.randrange(9)) for _ in range(3))),
            Keys(field, tuple(self._known_key() for _ in range(self.chance.randint(1, 4)))),
            Prefix(field, start + self._word()[:2]),
            Only(self._one(["r|", f"{self._code()}|"]), (self._known_key(), self._known_key())),
            Containing(field, start, self._word()[1:]),
            Range("dates", self._code(), Interval(*self._date()), self._arms()),
            Range("quantities", self._unit(), Interval(*self._number()), self._arms()),
            Updated(Interval(*sorted(self.chance.sample(range(9), 2))), self._arms()),
            self._together(),
            Present(field, start),
            Present(self._one(RANGED), self._code()),
            Near(self.chance.random() * 2, 50.5, self._one([1e3, 5e4, 9e7])),
            Compartment(tuple(f"Patient/{self.chance.randrange(5)}" for _ in range(2))),
            Patient(str(self.chance.randrange(3))),
        ]
        return self._one(options)

    def _together(self) -> Node:
        value = Interval(*self._number())
        ranged = Range("quantities", keys.part(1, "q|"), value, self._arms())
        keyed: list[Node] = [
            Keys("tokens", (keys.part(0, self._key()), keys.part(0, self._key()))),
            Prefix("tokens", keys.part(0, f"{self._code()}|")),
            Containing("strings", keys.part(0, f"{self._code()}|"), self._word()[:1]),
        ]
        first = self._one([*keyed, Or((keyed[0], keyed[1]))])
        return Together(self._code(), self._one([(first, ranged), (first,), (ranged,)]))

    def _combined(self) -> Combined:
        return Combined(
            self._code(),
            tuple({keys.part(0, self._key()) for _ in range(2)}),
            (Ranged(keys.part(1, "q|"), *self._number()),),
        )

    def _sort_key(self) -> SortKey:
        directions: list[Direction] = ["asc", "desc"]
        direction = self._one(directions)
        return self._one(
            [
                SortKey("id", direction),
                SortKey("updated", direction),
                SortKey("chief-date", direction),
                SortKey("chief-string", direction),
                SortKey("values", direction, "strings", "s|"),
                SortKey("values", direction, "tokens", keys.token_system(self._code(), "~")),
                SortKey("values", direction, "dates", self._code()),
                SortKey("values", direction, "quantities", self._unit()),
            ]
        )

    def _unit(self) -> str:
        return self._one(self._quantity()).key

    def _arms(self) -> prefixes.Arms:
        rows = [*prefixes.DATE_ARMS.values(), *prefixes.NUMBER_ARMS.values()]
        return self._one(rows)

    def _date(self) -> tuple[int, int]:
        lo = self.chance.randrange(4) * DAY
        width = self._one([1, DAY, DAY + 1, 30 * DAY])
        return self._one([(lo, lo + width), (MIN_TIME, lo), (lo, MAX_TIME)])

    def _number(self) -> tuple[float, float]:
        lo, hi = sorted((self._one(NUMBERS), self._one(NUMBERS)))
        return self._one([(lo, lo), (lo, hi), (float("-inf"), hi), (lo, float("inf"))])

    def _known_key(self) -> str:
        coding = keys.token(self._code(), self._one([None, "", "u"]), self._word())
        text = self._one(["s", "s=", "s:text"])
        return self._one([self._key(), coding, f"{text}|{self._word()}", f"r|{self._target()}"])

    def _key(self) -> str:
        return keys.token(self._code(), self._one([None, "", "u"]), self._word())

    def _target(self) -> str:
        return f"{self._one(KINDS)}/{self.chance.randrange(8)}"

    def _code(self) -> str:
        return self._one(CODES)

    def _word(self) -> str:
        return self._one(WORDS)

    def _coding(self) -> list[str]:
        """As the index has it: with its system and without, or a system alone."""
        code, system, word = self._code(), self._one(["", "u"]), self._word()
        both = [keys.token(code, system, word), keys.token(code, None, word)]
        return self._one([both, [keys.token_system(code, "u")]])

    def _string(self) -> list[str]:
        word = self._word()
        both = [keys.folded("s", fold(word)), keys.exact("s", word)]
        return self._one([both, both[1:], [keys.folded("s:text", f"{word} {self._word()}")]])

    def _quantity(self) -> list[Ranged]:
        code, (lo, hi) = self._code(), self._number()
        return [
            Ranged(keys.any_quantity(code), lo, hi),
            Ranged(keys.quantity(code, "u", "g"), lo, hi),
            Ranged(keys.canonical_quantity(code, "g"), lo / 10, hi / 10),
        ]

    def _pairs(self, options: list[list[Any]]) -> list[Any]:
        return list(dict.fromkeys(each for several in self._some(options) for each in several))

    def _some(self, options: list[Any]) -> list[Any]:
        count = self.chance.randrange(len(options) + 1)
        found: list[Any] = []
        for each in self.chance.sample(options, count):
            found += [each] if each not in found else []
        return found

    def _maybe(self, options: list[Any]) -> Any:
        return self._one([None, *options])

    def _one(self, options: Sequence[T]) -> T:
        return self.chance.choice(options)
