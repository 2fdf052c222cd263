"""What one Bundle may cost.

https://hl7.org/fhir/R4/http.html#transaction
"""

import pytest

from fhir_server.core.errors import FhirError, NotFound, TimedOut, TooCostly, Unavailable
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import Create, Read
from fhir_server.interactions.results import Result
from fhir_server.interactions.transaction.bounds import Budget, Patience

SAID = Text("a", "b", "c")
PAGE = Result(200, body=b"x" * 10, wanted=True)


def test_reads_may_answer_up_to_the_limit_and_no_more() -> None:
    budget = Budget(20)
    assert budget.taken(budget.taken(PAGE)) is PAGE
    budget.check(Read("Patient", "1"))
    with pytest.raises(TooCostly):
        budget.taken(PAGE)


def test_behind_the_limit_nothing_is_read_and_writes_go_on() -> None:
    budget = Budget(5)
    with pytest.raises(TooCostly):
        budget.taken(PAGE)
    with pytest.raises(TooCostly):
        budget.check(Read("Patient", "1"))
    budget.check(Create("Patient", {}))
    budget.taken(Result(201, body=b"x" * 10))


def checked(*errors: FhirError | None) -> None:
    patience = Patience()
    for each in errors:
        patience.answered(each)
    patience.check(7)


@pytest.mark.parametrize("error", [Unavailable(SAID), TimedOut(SAID)])
def test_a_third_entry_in_a_row_that_meets_no_database_ends_the_patience(
    error: FhirError,
) -> None:
    checked(error, error)
    checked(error, error, None, error)
    checked(error, error, NotFound(SAID), error)
    with pytest.raises(type(error)) as raised:
        checked(error, error, error)
    assert raised.value.issues[0].expression == ("Bundle.entry[7]",)
