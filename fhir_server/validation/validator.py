"""Whether a resource may be written, and all that is to be said of it.

Two quick passes say yes to nearly everything that is right: the gate (JSON Schema) and the
remainder. Only what they do not vouch for is walked, and the walker has the last word.

https://hl7.org/fhir/R4/validation.html
"""

from collections.abc import Iterable

from fhir_server.core.errors import Invalid, Issue
from fhir_server.core.types import JsonObject
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation import remainder, texts
from fhir_server.validation.gate import gate
from fhir_server.validation.walker import Walker


class Validator:
    """Validates against the base standard of R4."""

    def __init__(self, terminology: Terminology | None = None) -> None:
        self.terminology = terminology or Terminology()

    def warm_up(self, kinds: Iterable[str]) -> None:
        """Compile for these types now rather than on their first write (9 ms a type)."""
        for kind in kinds:
            gate(kind)
            remainder.accepts({"resourceType": kind}, kind)

    def check(self, resource: JsonObject, kind: str) -> None:
        """Let pass what may be stored as a resource of type `kind`.

        Raises:
            Invalid: with every error. "400 Bad Request: resource could not be parsed or
                failed basic FHIR validation rules" (http.html#create).
        """
        if not remainder.accepts(resource, kind):
            issues = self._walked(resource, kind, warnings=False)
            errors = [each for each in issues if each.severity == "error"]
            if errors:
                raise Invalid.of(errors)

    def validate(self, resource: JsonObject, kind: str) -> list[Issue]:
        """Everything there is to say, warnings too; never empty, as `$validate` answers."""
        issues = self._walked(resource, kind, warnings=True)
        return issues or [Issue("informational", texts.ALL_WELL, {}, "information")]

    def _walked(self, resource: JsonObject, kind: str, *, warnings: bool) -> list[Issue]:
        walker = Walker(self.terminology, warnings)
        walker.resource(resource, kind, kind)
        return walker.issues
