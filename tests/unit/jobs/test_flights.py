"""Flights: the oldest definitions that something on its way may have met."""

import pytest

from fhir_server.jobs.flights import Flights


def test_without_any_it_is_what_is_in_force() -> None:
    flights = Flights()
    flights.fresh = 5
    assert flights.oldest == 5


def test_the_oldest_holds_it_back_until_it_ends() -> None:
    flights = Flights()
    flights.fresh = 1
    first, second = flights.begin(), flights.begin()
    flights.fresh = 2
    third = flights.begin()
    seen = [flights.oldest]
    for each in (first, second, third):
        flights.end(each)
        seen.append(flights.oldest)
    assert seen == [1, 1, 2, 2]


def test_what_fails_has_ended_too() -> None:
    flights = Flights()

    def fail() -> None:
        with flights.one():
            flights.fresh = 7
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert flights.oldest == 7
