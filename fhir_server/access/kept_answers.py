"""What an answer shows that is kept for its caller, to be judged again when it is fetched.

https://hl7.org/fhir/R4/async.html
"""

from typing import NamedTuple


class Shown(NamedTuple):
    """A version that is part of the answer."""

    type: str
    id: str
    number: int


class SettledError(Exception):
    """The job, or this step of it, has its outcome already, or was cancelled."""
