"""Whatever accounts and grants tell has its row in the audit."""

from typing import get_args

from fhir_server.assembly.telling import KINDS, OF_ACCOUNTS
from fhir_server.cabinet.accounts import events as accounts
from fhir_server.smart import events as grants


def test_every_event_of_accounts_has_a_row() -> None:
    assert set(OF_ACCOUNTS) == set(get_args(accounts.Kind))


def test_every_event_of_grants_has_a_row() -> None:
    assert set(KINDS) == set(get_args(grants.Kind))
