"""What stays open of a record while a required consent is missing: reading and giving it.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping, Sequence
from typing import Final

from fhir_server.access.algebra import without
from fhir_server.access.belonging import of_patients
from fhir_server.access.decisions import Permitted
from fhir_server.access.scopes import LETTERS, letters_of
from fhir_server.search.plan import Everything, Node, Nothing
from fhir_server.spec.interactions import ScopeLetter

OPEN: Final[Mapping[str, frozenset[ScopeLetter]]] = {
    "Patient": letters_of("rs"),
    "Questionnaire": letters_of("rs"),
    "Consent": letters_of("crus"),
    # What a Consent may have as its source can be sent, and not read: a record's other
    # documents are of these types too.
    "DocumentReference": letters_of("c"),
    "QuestionnaireResponse": letters_of("c"),
}
"""By resource type the permissions that stay."""


def closed() -> Mapping[ScopeLetter, Permitted]:
    """By permission what flows while the record that an app was opened for is closed."""

    def of(letter: ScopeLetter) -> Permitted:
        def permitted(kind: str) -> Node:
            return Everything() if letter in OPEN.get(kind, ()) else Nothing()

        return permitted

    return {letter: of(letter) for letter in LETTERS}


def closed_for(patients: Sequence[str]) -> Mapping[ScopeLetter, Permitted]:
    """The same where only the records of `patients` (logical ids) are closed."""

    def of(letter: ScopeLetter) -> Permitted:
        def permitted(kind: str) -> Node:
            if letter in OPEN.get(kind, ()):
                return Everything()
            return without(of_patients(kind, patients))

        return permitted

    return {letter: of(letter) for letter in LETTERS}
