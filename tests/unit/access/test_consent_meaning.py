"""Predicates against an interpreter that walks the Consent and the resource themselves.

The interpreter knows nothing of index values: it says once more, slowly, what a Consent means.
https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterator
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.access.callers import Caller, actions_of
from fhir_server.access.decisions import Policy
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.types import JsonObject
from fhir_server.search.evaluate import Resources, satisfies
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.spec.interactions import ScopeLetter
from tests.support.consenting import (
    AS_USUAL,
    NOW,
    action,
    actor,
    asking,
    caller,
    consent,
    data,
    label,
    observation,
    permitted,
    purpose,
    record,
)

LEVELS: Final = "ULMNRV"
COVERED: Final = {"ETH": {"ETH", "ETHUD", "OPIOIDUD", "SUD"}}
KNOWN: Final = {
    "id", "type", "period", "actor", "action", "purpose", "class", "code", "data",
    "dataPeriod", "securityLabel", "provision",
}  # fmt: skip
FOREVER: Final = (-(10**18), 10**18)
TYPES: Final = "http://hl7.org/fhir/resource-types"
LOINC: Final = "http://loinc.org"


def instants(period: JsonObject) -> tuple[int, int]:
    start = parse_interval(period["start"]).lo if "start" in period else FOREVER[0]
    end = parse_interval(period["end"]).hi if "end" in period else FOREVER[1]
    return start, end


class Asked:
    """One resource, asked for by one caller."""

    def __init__(self, resource: JsonObject, who: Caller, letter: ScopeLetter) -> None:
        self.resource, self.who = resource, who
        self.actions = actions_of(who, letter)
        self.now = parse_interval(NOW).lo

    def meets(self, name: str, value: JsonObject, *, denies: bool) -> bool:
        """One alternative of one element; what is not understood is met by a denial only."""
        understood = getattr(self, f"_{name}")(value, denies)
        return denies if understood is None else understood

    def _actor(self, value: JsonObject, denies: bool) -> bool | None:
        del denies
        role = value["role"]["coding"][0]["code"]
        return (
            value["reference"]["reference"] in self.who.references if role == "IRCP" else None
        )

    def _action(self, value: JsonObject, denies: bool) -> bool | None:
        del denies
        code = value.get("coding", [{}])[0].get("code")
        return None if code is None else code in self.actions

    def _purpose(self, value: JsonObject, denies: bool) -> bool | None:
        del denies
        if "system" not in value:
            return None
        return value["code"] in {each.code for each in self.who.purposes}

    def _class(self, value: JsonObject, denies: bool) -> bool | None:
        del denies
        return bool(value["code"] == self.resource["resourceType"])

    def _code(self, value: JsonObject, denies: bool) -> bool | None:
        del denies
        if "coding" not in value:
            return None
        found = [each["code"] for each in walk(self.resource, "coding")]
        return any(each["code"] in found for each in value["coding"])

    def _data(self, value: JsonObject, denies: bool) -> bool | None:
        target = value["reference"]["reference"]
        kind, id_ = self.resource["resourceType"], self.resource["id"]
        here: bool = f"{kind}/{id_}" == target
        names = {each["reference"] for each in walk(self.resource, "reference", whole=True)}
        match value["meaning"]:
            case "instance":
                return here
            case "dependents":
                return here or target in names
            case "related":  # nobody handed in what the instance refers to
                return True if denies else here or target in names
            case _:
                authors = self.resource.get("performer") or [self.resource.get("requester")]
                return any(each["reference"] == target for each in authors if each)

    def _dataPeriod(self, value: JsonObject, denies: bool) -> bool | None:  # noqa: N802
        start, end = instants(value)
        dates = list(self._dates())
        if denies:
            return any(lo < end and hi > start for lo, hi in dates)
        return all(start <= lo and hi <= end for lo, hi in dates)

    def _dates(self) -> Iterator[tuple[int, int]]:
        found = False
        for name in ("effectiveDateTime", "authoredOn", "onsetDateTime", "recordedDate"):
            if name in self.resource:
                found = True
                yield parse_interval(self.resource[name])
        for name in ("effectivePeriod", "period"):
            if name in self.resource:
                found = True
                yield instants(self.resource[name])
        if not found:
            at = parse_interval(self.resource["meta"]["lastUpdated"]).lo
            yield at, at + 1

    def _securityLabel(self, value: JsonObject, denies: bool) -> bool | None:  # noqa: N802
        code = value["code"]
        labels = [each["code"] for each in self.resource["meta"].get("security", ())]
        if code not in LEVELS:
            return not COVERED.get(code, {code}).isdisjoint(labels)
        rank = max([LEVELS.index(each) for each in labels if each in LEVELS], default=3)
        named = LEVELS.index(code)
        return rank >= named if denies else rank <= named

    def matches(self, rule: JsonObject, *, denies: bool) -> bool:
        for name, values in rule.items():
            if name in ("type", "provision", "periods", "id"):
                continue
            alternatives = values if isinstance(values, list) else [values]
            if name == "period":
                continue
            if not any(self.meets(name, each, denies=denies) for each in alternatives):
                return False
        periods = [rule["period"]] if denies and "period" in rule else rule.get("periods", [])
        return all(lo <= self.now < hi for lo, hi in map(instants, periods))

    def vote(self, rule: JsonObject, around: JsonObject) -> str | None:
        frame = framed(rule, around)
        inner = {self.vote(each, frame) for each in rule.get("provision", ())}
        if "deny" in inner:
            return "deny"
        if "permit" in inner:
            return "permit"
        denies = rule["type"] == "deny"
        return rule["type"] if self.matches(rule if denies else frame, denies=denies) else None

    def given(self, rule: JsonObject, around: JsonObject) -> bool:
        """Whether a permit says so that is inside of no denial."""
        frame = framed(rule, around)
        if rule["type"] == "deny":
            return False
        own = self.matches(frame, denies=False)
        return own or any(self.given(each, frame) for each in rule.get("provision", ()))


def framed(rule: JsonObject, around: JsonObject) -> JsonObject:
    """The rule with what it takes over from those around it."""
    frame = {**around, **{k: v for k, v in rule.items() if k not in ("type", "provision")}}
    outer = around.get("periods", [])
    frame["periods"] = [*outer, rule["period"]] if "period" in rule else outer
    return frame


def walk(value: Any, name: str, *, whole: bool = False) -> Iterator[Any]:
    """Every `name` inside; `whole`: the object that has it."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key == name:
                yield from [value] if whole else each
            yield from walk(each, name, whole=whole)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each, name, whole=whole)


def outcome(consents: list[JsonObject], asked: Asked, *, as_usual: bool | None) -> bool:
    """`as_usual`: whether it flows without them, where they are beside that."""
    roots = [each["provision"] for each in consents]
    found = [asked.vote(each, {}) for each in roots]
    if "deny" in found:
        return False
    if as_usual is None:
        return "permit" in found
    return as_usual or any(asked.given(each, {}) for each in roots)


def some(*values: JsonObject) -> st.SearchStrategy[list[JsonObject]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2)


PERIODS: Final = st.sampled_from(
    [{"start": "2023-06"}, {"end": "2023-05"}, {"start": "2023-07"}]
)
ELEMENTS: Final = {
    "actor": some(
        *actor("Practitioner/dr1", "Organization/c1", "Device/app", "Practitioner/dr2"),
        *actor("Practitioner/dr1", role="AUT"),
    ),
    "action": some(*action("access", "disclose", "collect"), {"text": "?"}),
    "purpose": some(*purpose("TREAT", "BTG", "HPAYMT"), {"code": "TREAT"}),
    "class": some(*({"system": TYPES, "code": code} for code in ("Observation", "Condition"))),
    "code": some(
        {"coding": [{"system": LOINC, "code": "2339-0"}]},
        {"coding": [{"system": LOINC, "code": "1-8"}]},
        {"text": "?"},
    ),
    "data": some(
        *data("instance", "Observation/o1", "Condition/x"),
        *data("dependents", "Encounter/e1", "Observation/o1"),
        *data("related", "Encounter/e1"),
        *data("authoredby", "Practitioner/dr1", "Practitioner/dr2"),
    ),
    "securityLabel": some(*map(label, ["L", "N", "R", "HIV", "ETH"])),
    "dataPeriod": st.sampled_from(
        [{"start": "2022-06"}, {"start": "2021", "end": "2022-06-12"}]
    ),
    "period": PERIODS,
}
KIND: Final = st.sampled_from(["permit", "deny"])


def provisions(depth: int) -> st.SearchStrategy[JsonObject]:
    inner = st.lists(provisions(depth - 1), max_size=2) if depth else st.just([])

    def saying(names: list[str]) -> st.SearchStrategy[JsonObject]:
        said = {each: ELEMENTS[each] for each in names}
        return st.fixed_dictionaries({"type": KIND, "provision": inner, **said})

    # Few elements, or nothing ever matches.
    return st.lists(st.sampled_from(sorted(ELEMENTS)), max_size=2, unique=True).flatmap(saying)


RESOURCES: Final = [
    observation("o1"),
    observation("o2", "R", "HIV", performer=[{"reference": "Practitioner/dr1"}]),
    observation("o3", "L", effectiveDateTime="2022-06", encounter={
        "reference": "Encounter/e1"}),
    observation("o4", "ETHUD", effectiveDateTime=None, valueCodeableConcept={
        "coding": [{"system": LOINC, "code": "1-8"}]}),
    observation("o5", effectiveDateTime=None, effectivePeriod={"start": "2022-01"},
                derivedFrom=[{"reference": "Observation/o1"}]),
    {"resourceType": "Condition", "id": "x", "meta": {"lastUpdated": "2022-07-01T00:00:00Z"},
     "onsetDateTime": "2021", "recordedDate": "2022-07",
     "subject": {"reference": "Patient/p1"}},
    {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "HH"},
     "meta": {"lastUpdated": "2022-07-01T00:00:00Z"}, "subject": {"reference": "Patient/p1"},
     "period": {"start": "2022-06-01", "end": "2022-06-02"}},
    {"resourceType": "MedicationRequest", "id": "m", "subject": {"reference": "Patient/p1"},
     "meta": {"lastUpdated": "2022-07-01T00:00:00Z", "security": [label("V")]},
     "status": "active", "intent": "order", "requester": {"reference": "Practitioner/dr2"},
     "encounter": {"reference": "Encounter/e1"}},
]  # fmt: skip
RECORDS: Final = [record(each) for each in RESOURCES]
STORED: Final = Resources.of(RECORDS, UNRESTRICTED)
CALLERS: Final = [
    caller(),
    caller("Practitioner/dr2", for_="BTG"),
    caller("Practitioner/dr3", for_="HPAYMT", staff=False, client="other"),
]
LETTERS: Final[list[ScopeLetter]] = ["r", "c"]


@given(
    roots=st.lists(provisions(3), min_size=1, max_size=2),
    who=st.sampled_from(CALLERS),
    letter=st.sampled_from(LETTERS),
    beside=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_the_predicate_means_what_the_consent_says(
    roots: list[JsonObject], who: Caller, letter: ScopeLetter, beside: bool
) -> None:
    frames = [{k: v for k, v in root.items() if k != "purpose"} for root in roots]
    rule = {"policyRule": AS_USUAL} if beside else {}
    consents = [
        consent(root, id=f"c{place}", policy=[{"uri": f"urn:policy:{place}"}], **rule)
        for place, root in enumerate(frames)
        if _is_in_force(root)
    ]
    policy = Policy("all-normal" if beside else "deny")
    flows = permitted(consents, asking(who, letter), policy)
    for resource, stored in zip(RESOURCES, RECORDS, strict=True):
        asked = Asked(resource, who, letter)
        usual = asked.meets("securityLabel", label("N"), denies=False) if beside else None
        expected = outcome(consents, asked, as_usual=usual)
        found = satisfies(STORED, stored, flows(stored.type))
        assert found is expected, resource["id"]


@given(
    roots=st.lists(provisions(2), max_size=2),
    hiding=provisions(3),
    who=st.sampled_from(CALLERS),
    others_beside=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_what_hides_beside_opens_nothing(
    roots: list[JsonObject], hiding: JsonObject, who: Caller, others_beside: bool
) -> None:
    """Whatever else is on file, and however deep its exceptions are."""
    rule = {"policyRule": AS_USUAL} if others_beside else {}
    others = [
        consent(root, id=f"c{place}", policy=[], **rule) for place, root in enumerate(roots)
    ]
    hides = consent({**hiding, "type": "deny"}, id="h", policy=[], policyRule=AS_USUAL)
    policy = Policy("all-normal")
    without = permitted(others, asking(who), policy)
    with_it = permitted([*others, hides], asking(who), policy)
    for resource, stored in zip(RESOURCES, RECORDS, strict=True):
        if satisfies(STORED, stored, with_it(stored.type)):
            assert satisfies(STORED, stored, without(stored.type)), resource["id"]


def _is_in_force(root: JsonObject) -> bool:
    start, end = instants(root.get("period", {}))
    return start <= parse_interval(NOW).lo < end
