"""What the pages are built over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fhir_server.cabinet.accounts.ports import AccountPorts
from fhir_server.cabinet.notices.tapping import Taps
from fhir_server.core.messages import Text
from fhir_server.rest.budgets import Budgets
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.web.later import Later
from fhir_server.web.rendering import Renderer
from fhir_server.web.upstream.provider import Provider

TITLE = Text("Patient account", "Кабинет пациента", "Кабінет пацієнта")


@dataclass(frozen=True, slots=True)
class Site:
    """The pages, put together."""

    policy: Policy
    accounts: AccountPorts
    renderer: Renderer
    later: Later
    title: Text = TITLE
    """What the clinic calls its cabinet."""
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """Upstream identity providers by the name that stands in URLs."""
    home: str = "/auth/account"
    """The path where people see their visits."""
    taps: Taps | None = None
    """What one-tap links stand for; None: nobody is sent any."""
    misses: Budgets | None = None
    """How many links a network address may ask for in vain; None: any number."""

    @property
    def smart(self) -> Ports:
        """The authorization server's state."""
        return self.accounts.smart

    @property
    def secure(self) -> bool:
        """Whether browsers reach the pages over https."""
        return self.policy.issuer.startswith("https:")

    @property
    def origin(self) -> str:
        """The web origin of the pages."""
        return "/".join(self.policy.issuer.split("/")[:3])
