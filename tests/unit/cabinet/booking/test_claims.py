"""What units of booking claim, and in which order."""

from fhir_server.cabinet.booking.places import claimed
from fhir_server.cabinet.booking.visits import Visit


def test_places_are_claimed_before_patients_and_each_in_order() -> None:
    one = Visit("a", "booked", slots=("t2", "t1"), patients=("p2",))
    other = Visit("b", "booked", slots=("t3",), patients=("p1",))
    assert claimed(one, None, other, foreseen=("Patient/p0 visits",)) == (
        "Slot/t1",
        "Slot/t2",
        "Slot/t3",
        "Patient/p0 visits",
        "Patient/p1 visits",
        "Patient/p2 visits",
    )
