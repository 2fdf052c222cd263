"""Errors an operator can do something about end a command with a sentence, not a trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fhir_server.access.public import ClosedTypeError
from fhir_server.access.step_up import StepUpError
from fhir_server.assembly.booking import BookingRulesError
from fhir_server.assembly.files import AccessFileError
from fhir_server.assembly.providers import ProvidersFileError
from fhir_server.assembly.recipients import RecipientsFileError
from fhir_server.cli.console import fail
from fhir_server.cli.workers import WorkersFailedError
from fhir_server.core.errors import FhirError
from fhir_server.rest.offer import CapabilityError
from fhir_server.store.mongo.client import StandaloneMongodError
from fhir_server.store.mongo.mongod_binary import EmbeddedFailure
from fhir_server.store.mongo.sealing import SealedError
from fhir_server.validation.own_profiles import DefinitionError

_KNOWN: Final = (
    EmbeddedFailure,
    StandaloneMongodError,
    CapabilityError,
    DefinitionError,
    SealedError,
    ProvidersFileError,
    StepUpError,
    ClosedTypeError,
    AccessFileError,
    BookingRulesError,
    RecipientsFileError,
)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what is known into a message and exit status 1."""
    try:
        yield
    except _KNOWN as error:
        fail(str(error))
    except WorkersFailedError:
        fail("The workers do not start; what they said above tells why.")
    except FhirError as error:
        lines = (
            f"{', '.join(issue.expression)}: {issue.in_language('en')}".removeprefix(": ")
            for issue in error.issues[:20]
        )
        fail("\n".join(lines))
