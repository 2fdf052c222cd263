"""National identifiers: which systems are one and the same, how a number is spelled, and which
cannot be right.

One number goes by several systems (an OID, a URL of each guide) and spellings, so two of them
are compared by `Scheme.system` and `normal`; what a resource says is never changed.

| scheme | public description of its check digits |
|---|---|
| СНИЛС | sum of the digits by weights 9 to 1, modulo 101; of numbers above 001-001-998 |
| ЕНП | HL7 v2, table 0061, M10: every other digit as one number, doubled |
| РНОКПП | weights -1 5 7 9 4 6 10 5 7, modulo 11, modulo 10 |
| УНЗР | `YYYYMMDD-NNNNC`; how C comes about is not public, so only the date is looked at |

https://hl7.org/fhir/R4/namingsystem.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

_OWN: Final = "https://fhir-server.example/sid/"
_SNILS_MODULUS: Final = 101
_SNILS_UNCHECKED: Final = 1_001_998
_RNOKPP_WEIGHTS: Final = (-1, 5, 7, 9, 4, 6, 10, 5, 7)
_GROUPING: Final = {
    ord(each): None for each in " \t-\u00a0\u2009\u202f\u2010\u2011\u2012\u2013"
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of number, whoever names it."""

    title: str
    system: str
    """Its system here: under this the index has it too."""
    aliases: tuple[str, ...]
    """Other systems of the same numbers."""
    holds: Callable[[str], bool]
    """Whether a normal value can be such a number."""
    mixed: frozenset[str] = frozenset()
    """Those aliases under which numbers of other kinds go too; nothing is checked there."""


def normal(value: str) -> str:
    """`value` without what people group digits by."""
    return value.translate(_GROUPING)


def scheme_of(system: str) -> Scheme | None:
    """Whose numbers `system` names."""
    return _BY_SYSTEM.get(system)


def is_wrong(system: str, value: str) -> bool:
    """Whether `value` cannot be a number of `system`, which is one of these."""
    scheme = _BY_SYSTEM.get(system)
    if scheme is None or system in scheme.mixed:
        return False
    return not scheme.holds(normal(value))


def readings(value: str) -> Iterator[Scheme]:
    """The schemes in which `value`, of which no system is told, is a spelled number."""
    plain = normal(value)
    if plain == value or not _digits(plain):
        return
    yield from (each for each in SCHEMES if each.holds(plain))


def mod10(digits: str) -> int:
    """The check digit that HL7's M10 adds to `digits`; 5 for 12345."""
    doubled = str(int(digits[::-2]) * 2)
    return -sum(int(each) for each in digits[-2::-2] + doubled) % 10


def _digits(value: str, count: int | None = None) -> bool:
    right = value.isascii() and value.isdigit()
    return right and (count is None or len(value) == count)


def _snils(value: str) -> bool:
    if not _digits(value, 11) or value == "0" * 11:
        return False
    if int(value[:9]) <= _SNILS_UNCHECKED:
        return True
    total = sum(
        int(each) * weight for each, weight in zip(value, range(9, 0, -1), strict=False)
    )
    return total % _SNILS_MODULUS % 100 == int(value[9:])


def _enp(value: str) -> bool:
    return _digits(value, 16) and mod10(value[:-1]) == int(value[-1])


def _rnokpp(value: str) -> bool:
    if not _digits(value, 10):
        return False
    total = sum(int(d) * weight for d, weight in zip(value, _RNOKPP_WEIGHTS, strict=False))
    return total % 11 % 10 == int(value[-1])


_UNZR: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{5}")


def _unzr(value: str) -> bool:
    found = _UNZR.fullmatch(value)
    if found is not None:
        with suppress(ValueError):
            return date(int(found[1]), int(found[2]), int(found[3])).year > 0
    return False


_RUCORE: Final = "https://fhir.ru/ig/core/systems/"
_POLICIES: Final = (f"{_RUCORE}oms", f"{_RUCORE}OMS", "http://fhir.ru/ig/core/systems/oms")
"""RuCore spells it in three ways, and means policies of every kind."""

SNILS: Final = Scheme(
    "СНИЛС",
    f"{_OWN}ru/snils",
    (
        f"{_RUCORE}snils",
        "https://fhir.ru/ig/semd/systems/snils",
        "http://fhir.ru/core/systems/snils",
        "urn:oid:1.2.643.100.3",
        "urn:oid:1.2.643.2.69.1.1.1.6.223",
        "urn:identity:snils:",
    ),
    _snils,
)
ENP: Final = Scheme(
    "ЕНП",
    f"{_OWN}ru/enp",
    ("urn:oid:1.2.643.2.69.1.1.1.6.228", *_POLICIES),
    _enp,
    frozenset(_POLICIES),
)
RNOKPP: Final = Scheme("РНОКПП", f"{_OWN}ua/rnokpp", (), _rnokpp)
UNZR: Final = Scheme("УНЗР", f"{_OWN}ua/unzr", (), _unzr)

SCHEMES: Final = (SNILS, ENP, RNOKPP, UNZR)
_BY_SYSTEM: Final[Mapping[str, Scheme]] = {
    system: each for each in SCHEMES for system in (each.system, *each.aliases)
}
