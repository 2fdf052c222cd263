"""Who an account is to the authorization server, by the records that it may open.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
"""

import pytest

from fhir_server.cabinet.accounts.ports import Record
from fhir_server.cabinet.accounts.subjects import subject
from fhir_server.store.accounts import Account

OWN = Record("anna", "Anna", own=True)
CHILD = Record("ben", "Ben", own=False)


@pytest.mark.parametrize(
    ("person", "records", "user"),
    [
        ("p1", [OWN], "Patient/anna"),
        ("p1", [OWN, CHILD], "Person/p1"),
        ("p1", [CHILD], "Person/p1"),
        ("p1", [], "Person/p1"),
        (None, [OWN], "Patient/anna"),
        # Its Person is not written yet: without a user it would pass for a system.
        (None, [OWN, CHILD], "Patient/anna"),
        (None, [], None),
    ],
)
def test_oidc_11_12_the_user_of_an_account(
    person: str | None, records: list[Record], user: str | None
) -> None:
    account = Account("a1", "a@mail.example", "Anna", 2, 0, person=person)
    assert subject(account, records).user == user
