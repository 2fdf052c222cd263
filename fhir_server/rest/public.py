"""The door without a token: a directory that the operator opened, and nothing else.

https://www.rfc-editor.org/rfc/rfc6585#section-4
"""

from collections.abc import Iterable, Mapping

from fhir_server.access.public import ANYBODY, INTERACTIONS, public_rights
from fhir_server.core.paths import Target
from fhir_server.interactions.grants import Caller
from fhir_server.rest.bearer import needs_token
from fhir_server.rest.budgets import WEIGHTS, Budgets


class PublicDirectory:
    """Of one process."""

    def __init__(self, types: Iterable[str], budgets: Budgets) -> None:
        """Raises ClosedTypeError: a type is not to be opened."""
        self._types = frozenset(types)
        self._rights = public_rights(self._types)
        self._budgets = budgets

    def admit(
        self, code: str, target: Target, headers: Mapping[str, str], address: str
    ) -> Caller | None:
        """Everybody, where this is open; None where a token is needed, or was sent: it counts.

        Raises:
            Throttled: the network of `address` has asked too much.
        """
        if "authorization" in headers or code not in INTERACTIONS:
            return None
        if target.type not in self._types:
            return None
        self._budgets.charge_network(address, WEIGHTS[code])
        # A chain or an include that leaves the directory is 401, as all behind it would be.
        return Caller(self._rights, ANYBODY, needs_token())
