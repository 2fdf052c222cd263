"""How fast the outbox is worked off, and how long a failed delivery waits.

https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from dataclasses import dataclass
from typing import Final

_DOUBLINGS: Final = 30  # no float grows beyond what is cut off anyway


@dataclass(frozen=True, slots=True)
class Pace:
    """Each is a setting; seconds."""

    lease: float = 60.0
    """A delivery is given up for this time before."""
    poll: float = 1.0
    at_once: int = 4
    """In each lane: a slow channel holds up no other."""
    tries: int = 16
    """With the pauses below it is eight hours until the last."""
    pause: float = 10.0
    """Before the second try; each further one is twice as long."""
    longest: float = 3600.0
    stop: float = 10.0
    """How long a stopping process waits for what is on its way."""
    tidy: float = 60.0
    """Between two looks for what is over."""

    @property
    def attempt(self) -> float:
        """How long one try may take: what is still going on when the lease ends is begun by
        somebody else too."""
        return self.lease * 0.75

    def pause_after(self, tries: int, chance: float) -> float:
        """How long to wait behind the `tries`th try; `chance` (from 0 to 1) keeps those who
        failed together from coming back together."""
        doubled = self.pause * 2.0 ** min(tries - 1, _DOUBLINGS)
        return min(doubled, self.longest) * (0.5 + chance)
