"""Budgets of clients and users: what is spent, what is refused, when it goes on."""

from dataclasses import dataclass

import pytest

from fhir_server.access.principal import Principal
from fhir_server.core.errors import Throttled
from fhir_server.rest.budgets import WEIGHTS, Budget, Budgets
from fhir_server.spec.interactions import INTERACTIONS


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def person(client: str = "app", account: str = "a1") -> Principal:
    return Principal(client, (), account=account)


def budgets(clock: Clock, client: float = 100, user: float = 10, network: float = 5) -> Budgets:
    return Budgets(Budget(client, client), Budget(user, user), Budget(network, network), clock)


def spent(found: Budgets, principal: Principal | None, units: float = 1) -> int:
    """How many requests of `units` are let through at once."""
    for number in range(1000):
        try:
            found.charge(principal, units)
        except Throttled:
            return number
    return 1000


def test_a_user_spends_what_there_is() -> None:
    assert spent(budgets(Clock()), person()) == 10


def test_a_costly_request_counts_as_many() -> None:
    assert spent(budgets(Clock()), person(), 5) == 2


def test_one_request_may_cost_more_than_is_left() -> None:
    assert spent(budgets(Clock()), person(), 1000) == 1


def test_another_user_of_the_same_app_has_an_own_budget() -> None:
    found = budgets(Clock())
    spent(found, person())
    assert spent(found, person(account="a2")) == 10


def test_all_users_of_an_app_share_the_apps() -> None:
    found = budgets(Clock(), client=15)
    assert spent(found, person()) == 10
    assert spent(found, person(account="a2")) == 5


def test_what_is_refused_costs_nothing() -> None:
    clock = Clock()
    found = budgets(clock)
    spent(found, person())
    for _ in range(50):
        with pytest.raises(Throttled):
            found.charge(person(), 5)
    clock.now += 0.5
    assert spent(found, person()) == 5


@pytest.mark.parametrize(("overdrawn", "seconds"), [(10, "1"), (40, "4"), (1, "1")])
def test_retry_after_is_when_it_goes_on(overdrawn: float, seconds: str) -> None:
    clock = Clock()
    found = budgets(clock)
    found.charge(person(), 9)
    found.charge(person(), overdrawn)
    with pytest.raises(Throttled) as refused:
        found.charge(person(), 1)
    assert refused.value.headers == {"Retry-After": seconds}
    clock.now += float(seconds)
    found.charge(person(), 1)


def test_rest_gives_no_more_than_a_burst() -> None:
    clock = Clock()
    found = budgets(clock)
    spent(found, person())
    clock.now += 3600
    assert spent(found, person()) == 10


def test_a_backend_has_the_clients_budget_alone() -> None:
    assert spent(budgets(Clock()), Principal("backend", ())) == 100


def test_without_a_rate_there_is_no_limit() -> None:
    assert spent(budgets(Clock(), client=0, user=0), person()) == 1000


def test_without_a_token_nobody_is_counted() -> None:
    assert spent(budgets(Clock()), None) == 1000


def test_every_interaction_has_a_weight() -> None:
    assert {each.code for each in INTERACTIONS} == set(WEIGHTS)


def test_a_network_address_spends_what_there_is() -> None:
    clock = Clock()
    found = budgets(clock)

    def asked(address: str) -> int:
        for number in range(1000):
            try:
                found.charge_network(address, 1)
            except Throttled:
                return number
        return 1000

    assert asked("192.0.2.1") == 5
    assert asked("192.0.2.2") == 5
    assert asked("2001:db8::1") == 5
    assert asked("2001:db8::2") == 0  # whoever has the one has the other
    assert spent(found, person()) == 10
    clock.now += 1
    assert asked("192.0.2.1") == 5
