"""What an operator decides about consents and proxies.

Numbers and lists that the law of a place gives are settings, never constants.
"""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Literal

from fhir_server.access.decisions import Policy
from fhir_server.access.proxies import ProxyRules
from fhir_server.access.required import Required
from fhir_server.access.visibility import VisitRules


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Every choice together."""

    consents: Policy = field(default_factory=lambda: Policy("basic-normal"))
    """What holds where no Consent speaks."""
    systems: Literal["exempt", "bound"] = "exempt"
    """Whether Consents bind backend services too. Exempt, they are the clinic's own systems,
    limited by their scopes."""
    required: tuple[Required, ...] = ()
    """Consents without which a patient's cabinet stays closed."""
    proxies: ProxyRules = field(default_factory=ProxyRules)
    visits: VisitRules = field(default_factory=VisitRules)
    zone: tzinfo = UTC
    """Of the clinic: a birthday begins at its midnight."""
