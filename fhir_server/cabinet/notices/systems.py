"""What other systems are told: that something happened to which resource, and no more.

Who is told reads the resource with rights of its own.

https://www.standardwebhooks.com/
"""

from collections.abc import Mapping, Sequence

from fhir_server.core.datetimes import format_instant
from fhir_server.store.outgoing import Delivery, Occasion


def webhooks(
    occasion: Occasion, endpoints: Mapping[str, frozenset[str]], now: int
) -> Sequence[Delivery]:
    """A delivery for each of `endpoints`, by name, that wants to hear of such occasions (no
    kinds: of all); `now` in milliseconds since 1970."""
    content = {
        "type": occasion.kind,
        "timestamp": format_instant(now),
        "data": {"reference": occasion.about},
    }
    return [
        Delivery(f"{occasion.key}/webhook/{name}", "webhook", name, content, now)
        for name, kinds in sorted(endpoints.items())
        if not kinds or occasion.kind in kinds
    ]
