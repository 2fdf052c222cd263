"""Whatever people, staff and the clock do, at once and by whatever doors: what is there
afterwards is what some order of these deeds makes of it, and no rule is broken.

A state machine over two servers on one database; `predicted` says what they are to do.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from collections.abc import Iterator, Sequence
from typing import Final

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from fhir_server.cabinet.booking.policy import HOUR, MINUTE
from tests.spec.booking import doors
from tests.spec.booking.abreast import Abreast, abreast
from tests.spec.booking.predicted import Deed, Done, Outcome, Play, State, orders, problems
from tests.spec.booking.wishes import MAKES, WISHES, Plan, Wish, World

_REFUSED: Final = frozenset({400, 403, 409, 422})
_TIMES: Final = (MINUTE, 11 * MINUTE, 2 * HOUR + MINUTE)


@pytest.fixture(scope="module")
def servers(mongodb_uri: str) -> Iterator[Abreast]:
    with abreast(mongodb_uri) as found:
        yield found


class Machine(RuleBasedStateMachine):
    """One life of a clinic."""

    servers: Abreast

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.servers)

    @rule(wish=WISHES)
    def one(self, wish: Wish) -> None:
        """Somebody does something."""
        self._do([wish])

    @rule(wishes=st.lists(WISHES, min_size=2, max_size=4))
    def several(self, wishes: list[Wish]) -> None:
        """Several people do something at once."""
        self._do(wishes)

    @rule(wishes=st.lists(WISHES, max_size=3))
    def beside_the_background(self, wishes: list[Wish]) -> None:
        """Meanwhile both servers end what is over and offer what is free."""
        self._do(wishes, tidies=True)

    @rule(time=st.sampled_from(_TIMES))
    def later(self, time: int) -> None:
        self.servers.now += time

    @rule(server=st.integers(0, 1))
    def tidied(self, server: int) -> None:
        """Holds and offers that are over are ended, then what is free is offered."""
        self.servers.at_once(self.servers.tidies[server]())
        ends, offers = self._background(is_optional=False)
        expected = [
            each
            for ended in self._orders(self.world.state, ends)
            for each in self._orders(ended, offers)
        ]
        self._check(expected, ("  tidied",))
        assert not [each for each in self.world.state.visits if self._play().is_over(each)]

    @invariant()
    def nothing_is_broken(self) -> None:
        assert not list(problems(self.world.spots, self.world.state, self.servers.now))

    def _do(self, wishes: Sequence[Wish], *, tidies: bool = False) -> None:
        plans = [each for each in map(self.world.plan, wishes) if each is not None]
        work = [self.servers.ask(each.wish.server, each.request) for each in plans]
        beside = [each() for each in self.servers.tidies] if tidies else []
        answers = [each for each in self.servers.at_once(*work, *beside) if each is not None]
        done = [
            each
            for plan, answer in zip(plans, answers, strict=True)
            for each in self._done(plan, answer, is_alone=len(plans) == 1 and not tidies)
        ]
        if tidies:
            done += [each for some in self._background(is_optional=True) for each in some]
        said = [_told(*each) for each in zip(plans, answers, strict=True)]
        self._check(list(self._orders(self.world.state, done)), said)

    def _done(self, plan: Plan, answer: httpx.Response, *, is_alone: bool) -> Iterator[Done]:
        """What was done with an answer; nothing, if a newer version or another unit came
        between: that is not for the model to say."""
        status = doors.status_of(answer)
        if status in {200, 201}:
            makes = plan.wish.kind in MAKES
            id_ = doors.id_of(answer) if makes else ""
            self.world.order += [id_] if makes else []
            yield Done(plan.deed(id_), frozenset({"done", "nothing"}))
        elif status in _REFUSED and (status != 409 or doors.has_code(answer)):
            yield Done(plan.deed(""), frozenset({"refused", "nothing"}))
        else:
            assert status in {409, 412}, (plan.request, answer.text)
            assert not is_alone, (plan.request, answer.text)

    def _background(self, *, is_optional: bool) -> tuple[Sequence[Done], Sequence[Done]]:
        """What is over may be ended, and what is free offered."""
        play, some = self._play(), frozenset[Outcome]({"done", "nothing"})
        over = [each.id for each in self.world.state.visits if play.is_over(each)]
        ends = [Done(_expiring(each), some, is_optional) for each in over]
        return ends, [Done(_offering(each), some, is_optional) for each in self.world.slots]

    def _check(self, expected: Sequence[State], said: Sequence[str]) -> None:
        before, self.world.state = self.world.state, self.world.read()
        if self.world.state not in expected:
            found = ["before", *_lines(before), "done", *said]
            found += ["now", *_lines(self.world.state, before)]
            for each in expected:
                found += ["instead of", *_lines(each, before)]
            raise AssertionError("\n".join(found))

    def _orders(self, before: State, done: Sequence[Done]) -> Iterator[State]:
        return orders(self.world.spots, before, self.servers.now, done)

    def _play(self) -> Play:
        return Play(self.world.spots, self.world.state, self.servers.now)


def _told(plan: Plan, answer: httpx.Response) -> str:
    who, asked = plan.request.who.user, f"{plan.request.method} {plan.request.path}"
    return f"  {plan.wish} {who} {asked} {plan.request.body} {answer.status_code} {answer.text}"


def _lines(state: State, before: State | None = None) -> Sequence[str]:
    """A state, or what has changed of it."""
    given = [*state.places, *(e for e in state.visits if before or e.status != "cancelled")]
    known = set[object]() if before is None else {*before.places, *before.visits}
    return [f"  {each}" for each in given if each not in known]


def _expiring(visit: str) -> Deed:
    return lambda play: play.expire(visit)


def _offering(slot: str) -> Deed:
    return lambda play: play.offer(slot)


@pytest.mark.parametrize(
    ("lives", "steps"), [(7, 16), pytest.param(25, 40, marks=pytest.mark.slow)]
)
def test_there_is_an_order_that_explains_everything(
    servers: Abreast, lives: int, steps: int
) -> None:
    class Here(Machine):
        pass

    Here.servers = servers
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            database=None,
            phases=(Phase.generate,),  # a failure tells of its step; a race is not shrunk
            suppress_health_check=list(HealthCheck),
        ),
    )
