"""Who is admitted to app state, and what its endpoint says of itself.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-state.html
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from fhir_server.access.app_state import KIND, StateApp, state_rights
from fhir_server.access.principal import Principal
from fhir_server.access.rights import NO_RIGHTS, Condition
from fhir_server.core.types import JsonObject
from fhir_server.interactions.grants import Caller
from fhir_server.rest.gate import Gate
from fhir_server.spec import search_parameters

SERVER: Final = (
    "http://hl7.org/fhir/smart-app-launch/CapabilityStatement/smart-app-state-server"
)
MOST_BYTES: Final = 256 * 1024
"""Of a state as it is sent. "Total resource size SHALL NOT exceed 256KB"."""

_PARAMETERS: Final = ("code", "subject")

Registered = Callable[[str], Awaitable[StateApp | None]]
"""What was registered of a client; None: nothing is any more."""


class StateGate:
    """Admits whom `gate` admits, to the state of the app that asks."""

    def __init__(self, gate: Gate, registered: Registered, condition: Condition) -> None:
        self._gate = gate
        self._registered = registered
        self._condition = condition

    async def admit(self, headers: Mapping[str, str]) -> Caller:
        return await self._of_its_app(await self._gate.admit(headers))

    async def again(self, principal: Principal) -> Caller:
        return await self._of_its_app(await self._gate.again(principal))

    async def _of_its_app(self, caller: Caller) -> Caller:
        if caller.principal is None or caller.withheld is not None:
            return replace(caller, rights=NO_RIGHTS)
        app = await self._registered(caller.principal.client)
        rights = state_rights(
            caller.principal, caller.rights, app or StateApp(), self._condition
        )
        return replace(caller, rights=rights)


def statement(full: JsonObject) -> JsonObject:
    """The CapabilityStatement of app state; `full` is that of the whole server."""
    known = search_parameters.of_type(KIND)
    parameters = [
        {"name": code, "definition": known[code].url, "type": known[code].type}
        for code in _PARAMETERS
    ]
    codes = ("create", "read", "update", "delete", "search-type")
    resource = {
        "type": KIND,
        "interaction": [{"code": each} for each in codes],
        "versioning": "versioned",
        "searchParam": parameters,
    }
    rest = {"mode": "server", "resource": [resource]}
    return full | {
        "id": "app-state",
        "name": "AppState",
        "title": "SMART app state",
        "instantiates": [],
        "rest": [rest],
    }
