"""What notices are made of: the operator's decisions, and where everything is asked."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fhir_server.access.codings import Coding
from fhir_server.access.principal import Principal
from fhir_server.access.rights import Rights
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.notices.preferences import Way
from fhir_server.cabinet.notices.quiet import Quiet
from fhir_server.cabinet.notices.readers import Readers
from fhir_server.interactions.context import Services
from fhir_server.store.links import Links

AskRights = Callable[[Principal], Awaitable[Rights]]
"""What a person may do now."""


@dataclass(frozen=True, slots=True)
class House:
    """What the operator decided about notices."""

    issuer: str
    """Absolute URL without a trailing slash: links begin with it."""
    home: str
    """The URL where people see their visits."""
    names: frozenset[Way] = frozenset({"email"})
    """The ways by which a doctor and a speciality may be named."""
    quiet: Quiet | None = None
    """When no SMS is sent."""
    daily: int = 30
    """Of how many notices in a day a patient is written to, where persons cause them."""
    results: Coding | None = None
    """The category of the Consent to be told of results; None: nobody is."""
    endpoints: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Webhooks by name, with the kinds that each is told of; none: of all."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a composer is made of."""

    services: Services
    readers: Readers
    rights: AskRights
    policies: Policies
    links: Links
    new_token: Callable[[], str]
    """128 random bits or more, in characters of a URL's path."""
    house: House
