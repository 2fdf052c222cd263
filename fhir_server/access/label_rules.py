"""Which codes make a resource sensitive: rules as data, the server's own and an operator's.

A rule names a code system by its URLs, codes in it, and the labels a resource with such a
code gets. `F10-F19` is every code that begins with F10, F11, …, F19; `N07BC` with `.` or
without is every code that begins so. An operator's rules have the same form, as JSON:

    {"version": "clinic-7", "rules": [
      {"systems": ["urn:oid:1.2.643.5.1.13.13.11.1005"], "beginning": ["O04", "F10-F19"],
       "codes": ["Z30.3"], "below": [], "labels": ["SEX", "R"]}]}

https://hl7.org/fhir/R4/security-labels.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.access.codings import ACT_CODE, CONFIDENTIALITY, Coding
from fhir_server.access.confidentiality import LEVELS
from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text

BAD_RULE: Final = Text(
    "This labelling rule cannot be used: {what}.",
    "Это правило меток не годится: {what}.",
    "Це правило міток непридатне: {what}.",
)

_ELEMENTS: Final = frozenset({"systems", "codes", "beginning", "below", "labels"})
_RANGE: Final = re.compile(r"([A-Z])(\d\d)-([A-Z])(\d\d)")


@dataclass(frozen=True, slots=True)
class LabelRule:
    """One row."""

    systems: frozenset[str]
    labels: tuple[Coding, ...]
    codes: frozenset[str] = frozenset()
    beginning: tuple[str, ...] = ()
    """Beginnings of codes."""
    below: frozenset[str] = frozenset()
    """Codes whose descendants are meant too, as far as the terminology is known."""

    def names(self, coding: Coding, ancestors: Iterable[str]) -> bool:
        """Whether a resource with this code, below `ancestors`, gets the labels."""
        return coding.system in self.systems and (
            coding.code in self.codes
            or coding.code.startswith(self.beginning)
            or coding.code in self.below
            or not self.below.isdisjoint(ancestors)
        )


@dataclass(frozen=True, slots=True)
class LabelRules:
    """A set of rules, and its version, which every label it gave carries."""

    version: str
    rules: tuple[LabelRule, ...]


def read_rules(value: Mapping[str, Any]) -> LabelRules:
    """An operator's rules, parsed from JSON.

    Raises:
        BadValue: it has another form; a rule that was ignored would leave data open.
    """
    if set(value) != {"version", "rules"} or not isinstance(value["rules"], list):
        raise BadValue(BAD_RULE, what="version, rules")
    version = value["version"]
    if not isinstance(version, str) or not version:
        raise BadValue(BAD_RULE, what="version", expression="version")
    found = enumerate(value["rules"])
    return LabelRules(version, tuple(_read(each, f"rules[{place}]") for place, each in found))


def together(*sets: LabelRules) -> LabelRules:
    """All rules of all sets; the version tells of each."""
    rules = tuple(rule for each in sets for rule in each.rules)
    return LabelRules("+".join(each.version for each in sets), rules)


def _read(row: Mapping[str, Any], path: str) -> LabelRule:
    if not isinstance(row, dict) or not _ELEMENTS.issuperset(row):
        raise BadValue(BAD_RULE, what=", ".join(sorted(_ELEMENTS)), expression=path)
    texts = {name: _texts(row.get(name, []), f"{path}.{name}") for name in _ELEMENTS}
    meant = (*texts["codes"], *texts["beginning"], *texts["below"])
    if not texts["systems"] or not texts["labels"] or not meant:
        raise BadValue(BAD_RULE, what="systems, codes, labels", expression=path)
    return _rule(**texts)


def _texts(value: Any, path: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(e, str) and e for e in value):
        raise BadValue(BAD_RULE, what="[string]", expression=path)
    return value


def _rule(
    systems: Iterable[str],
    labels: Iterable[str],
    codes: Iterable[str] = (),
    beginning: Iterable[str] = (),
    below: Iterable[str] = (),
) -> LabelRule:
    return LabelRule(
        frozenset(systems),
        tuple(to_label(each) for each in labels),
        frozenset(codes),
        tuple(start for each in beginning for start in _beginnings(each)),
        frozenset(below),
    )


def to_label(code: str) -> Coding:
    """`R` is a confidentiality, `HIV` a sensitivity."""
    return Coding(CONFIDENTIALITY if code in LEVELS else ACT_CODE, code)


def _beginnings(text: str) -> Iterator[str]:
    found = _RANGE.fullmatch(text)
    if not found:
        yield text
        return
    letter, low, last, high = found.groups()
    if letter != last or int(low) > int(high):
        raise BadValue(BAD_RULE, what=text)
    for number in range(int(low), int(high) + 1):
        yield f"{letter}{number:02}"


_ICD_10: Final = (
    "http://hl7.org/fhir/sid/icd-10",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "urn:oid:1.2.643.5.1.13.13.11.1005",
    "urn:oid:2.16.840.1.113883.6.3",
    "eHealth/ICD10_AM/condition_codes",
)
"""HL7's names, the Russian national dictionary, and that of the Ukrainian eHealth system."""
_ICPC_2: Final = (
    "http://hl7.org/fhir/sid/icpc-2",
    "urn:oid:2.16.840.1.113883.6.139",
    "eHealth/ICPC2/condition_codes",
    "eHealth/ICPC2/reasons",
)
_ATC: Final = ("http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73")
_LOINC: Final = ("http://loinc.org", "eHealth/LOINC/observation_codes")
_SNOMED: Final = ("http://snomed.info/sct",)

STANDARD: Final = LabelRules(
    "standard-1",
    (
        # https://icd.who.int/browse10/2019/en
        _rule(_ICD_10, ["ETHUD", "R"], beginning=["F10"]),
        _rule(_ICD_10, ["OPIOIDUD", "R"], beginning=["F11"]),
        _rule(_ICD_10, ["ETH", "R"], beginning=["F12-F16", "F18-F19"]),
        _rule(_ICD_10, ["PSY", "R"], beginning=["F00-F09", "F20-F99", "X60-X84"]),
        _rule(_ICD_10, ["HIV", "R"], beginning=["B20-B24", "Z21", "R75", "Z20.6"]),
        _rule(_ICD_10, ["STD", "R"], beginning=["A50-A64"]),
        _rule(_ICD_10, ["SDV", "R"], beginning=["T74", "Y05-Y07"]),
        # https://www.ehelse.no/kodeverk/icpc-2e--english-version
        _rule(_ICPC_2, ["ETHUD", "R"], codes=["P15", "P16"]),
        _rule(_ICPC_2, ["ETH", "R"], codes=["P18", "P19"]),
        _rule(_ICPC_2, ["PSY", "R"], codes=["P77"], beginning=["P70-P76", "P78-P82"]),
        _rule(_ICPC_2, ["PSY", "R"], beginning=["P85-P86", "P98-P99"]),
        _rule(_ICPC_2, ["HIV", "R"], codes=["B90"]),
        _rule(_ICPC_2, ["STD", "R"], codes=["X70", "X71", "Y70", "Y71"]),
        _rule(_ICPC_2, ["SDV", "R"], codes=["Z25"]),
        # Alcohol use; AUDIT-C; PHQ-9 and its total; antibody, antigen and RNA tests of HIV.
        _rule(_LOINC, ["ETHUD", "R"], codes=["74013-4", "75626-2"]),
        _rule(_LOINC, ["PSY", "R"], codes=["44249-1", "44261-6"]),
        _rule(
            _LOINC,
            ["HIV", "R"],
            codes=[
                "7917-8", "20447-9", "24012-7", "25835-0", "29893-5", "31201-7", "56888-1",
                "5221-7", "68961-2", "75622-1",
            ],
        ),
        # Alcohol dependence, opioid dependence, mental disorder, HIV infection, abuse.
        _rule(_SNOMED, ["ETHUD", "R"], below=["7200002", "66590003"]),
        _rule(_SNOMED, ["OPIOIDUD", "R"], below=["75544000"]),
        _rule(_SNOMED, ["PSY", "R"], below=["74732009"], codes=["35489007", "58214004"]),
        _rule(_SNOMED, ["HIV", "R"], below=["86406008"], codes=["165816005"]),
        _rule(_SNOMED, ["SDV", "R"], below=["397940009", "706892001"]),
        # https://atcddd.fhi.no/atc_ddd_index/
        _rule(_ATC, ["ETHUD", "R"], beginning=["N07BB"]),
        _rule(_ATC, ["OPIOIDUD", "R"], beginning=["N07BC"]),
        _rule(_ATC, ["PSY", "R"], beginning=["N05A"]),
        _rule(
            _ATC,
            ["HIV", "R"],
            beginning=["J05AE", "J05AG", "J05AJ", "J05AR"],
            codes=["J05AX07", "J05AX09"],
        ),
    ),
)  # fmt: skip
"""What laws and IHE PCF name as stigmatizing, in the code systems met here."""
