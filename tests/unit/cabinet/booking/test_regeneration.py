"""What becomes of a schedule's Slots when it is generated anew."""

from hypothesis import given
from hypothesis import strategies as st

from fhir_server.cabinet.booking.regeneration import Known, changes
from fhir_server.cabinet.booking.slots import Place
from fhir_server.cabinet.booking.template import Interval

DAY = (0, 100)


def known(id_: str, start: int, end: int, status: str = "free", *, held: bool = False) -> Known:
    return Known(Place(id_, status, start, end, "s", 1, frozenset()), held, fits=True)


WANTED = (Interval(0, 10), Interval(10, 20), Interval(20, 30))


def test_what_fits_stays_what_does_not_goes_what_is_missing_comes() -> None:
    found = changes([known("a", 10, 20), known("b", 15, 25)], WANTED, DAY, 1)
    assert (found.removed, found.kept) == (["b"], 1)
    assert found.created == [WANTED[0], WANTED[2]]


def test_nothing_is_put_over_what_stays() -> None:
    for fixed in (
        known("a", 5, 12, "busy"),
        known("a", 5, 12, "busy-tentative"),
        known("a", 5, 12, "busy-unavailable"),
        known("a", 5, 12, held=True),
    ):
        found = changes([fixed], WANTED, DAY, 1)
        assert (found.removed, found.created) == ([], [WANTED[2]])


def test_a_free_one_under_what_stays_goes() -> None:
    found = changes([known("a", 0, 10), known("b", 5, 15, "busy-unavailable")], WANTED, DAY, 1)
    assert (found.removed, found.created) == (["a"], [WANTED[2]])


def test_what_was_entered_in_error_takes_no_time() -> None:
    found = changes([known("a", 0, 10, "entered-in-error")], WANTED, DAY, 1)
    assert (found.removed, len(found.created), found.kept) == ([], 3, 0)


def test_free_ones_of_other_days_stay() -> None:
    found = changes([known("a", 100, 110), known("b", 0, 5)], (), DAY, 1, frozenset({(0, 5)}))
    assert found.removed == []


def test_another_capacity_is_another_place() -> None:
    found = changes([known("a", 0, 10)], WANTED[:1], DAY, 2)
    assert (found.removed, found.created) == (["a"], [WANTED[0]])


SLOTS = st.lists(
    st.tuples(
        st.integers(-20, 110),
        st.integers(1, 30),
        st.sampled_from(("free", "busy", "busy-tentative", "busy-unavailable")),
        st.booleans(),
    ),
    max_size=12,
)


@given(SLOTS, st.sets(st.integers(0, 9)))
def test_a_second_time_changes_nothing(
    slots: list[tuple[int, int, str, bool]], places: set[int]
) -> None:
    there = [
        known(f"{number}", start, start + length, status, held=held)
        for number, (start, length, status, held) in enumerate(slots)
    ]
    wanted = [Interval(10 * each, 10 * each + 10) for each in sorted(places)]
    first = changes(there, wanted, DAY, 1)
    left = [each for each in there if each.place.id not in first.removed]
    assert all(each.place.status == "free" and not each.is_held for each in there
               if each.place.id in first.removed)  # fmt: skip
    made = [known(f"new {each.start}", each.start, each.end) for each in first.created]
    for fresh in made:
        assert not any(
            fresh.place.start < each.place.end and each.place.start < fresh.place.end
            for each in left
        )
    second = changes([*left, *made], wanted, DAY, 1)
    assert (second.created, second.removed) == ([], [])
