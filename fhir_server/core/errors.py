"""Everything that can go wrong, as exceptions that carry their own issues.

* FhirError
  x Invalid             400  the request or resource is malformed
    - MissingElement         a required element is absent
    - BadValue               an element is present, its value unusable
    - Malformed              the body does not parse
    - UnknownParameter       strict handling met an unknown search parameter
    - NotSupported           understood, and not offered here
    - TooCostly              within the grammar, beyond a limit of this server
  x Unauthenticated     401
  x Forbidden           403
  x NotFound            404
    - UnknownType            no such resource type
  x MethodNotAllowed    405  carries Allow
  x NotAcceptable       406
  x Conflict            409
    - Duplicate              the identity is taken
  x Gone                410
  x PreconditionFailed  412
    - MultipleMatches        a conditional matched more than one resource
  x TooLarge            413
  x UnsupportedMediaType 415
  x Unprocessable       422  the resource breaks a structure, profile or invariant
    - BusinessRule           a rule of this server forbids it
  x Throttled           429
  x Unavailable         503  retry later (carries Retry-After)
  x TimedOut            504  the database did not answer in time (carries Retry-After)

OAuth errors are not here: RFC 6749 gives them another shape (smart/errors.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal, Self

from fhir_server.core.messages import Language, Text

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One `OperationOutcome.issue`."""

    code: str
    """From http://hl7.org/fhir/issue-type; always the most specific code."""
    text: Text
    args: Mapping[str, object]
    severity: Severity = "error"
    expression: tuple[str, ...] = ()
    """FHIRPath from the request's root, e.g. `Bundle.entry[2].request.url`."""
    detail: str = ""
    """A code of `outcome.CABINET_ERROR`, by which an app knows the rule that was broken."""

    def at(self, prefix: str) -> "Issue":
        """Re-root this issue at an enclosing element.

        `Patient.name` at `Bundle.entry[2].resource` is `Bundle.entry[2].resource.name`.
        """
        moved = tuple(_reroot(prefix, path) for path in self.expression) or (prefix,)
        return replace(self, expression=moved)

    def in_language(self, language: Language) -> str:
        """The sentence a person reads."""
        return self.text.in_language(language, self.args)


def _reroot(prefix: str, path: str) -> str:
    head, _, rest = path.partition(".")
    if path.startswith("["):
        return f"{prefix}{path}"
    if prefix.endswith("]") and head[:1].isupper():  # of an entry: `Patient` is its resource
        prefix = f"{prefix}.resource"
    if prefix.endswith(".resource") and head[:1].isupper():
        return f"{prefix}.{rest}" if rest else prefix
    return f"{prefix}.{path}"


class FhirError(Exception):
    """Base of every error a client can cause or must hear about."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"
    headers: Mapping[str, str] = {}

    def __init__(self, text: Text, *, expression: str = "", **args: object) -> None:
        where = (expression,) if expression else ()
        self.issues: Sequence[Issue] = (Issue(self.code, text, args, "error", where),)
        super().__init__(self.issues[0].in_language("en"))

    @classmethod
    def of(cls, issues: Iterable[Issue]) -> Self:
        """The error that reports `issues`, at least one, in their order."""
        found = tuple(issues)
        error = cls.__new__(cls)
        Exception.__init__(error, found[0].in_language("en"))
        error.issues = found
        return error

    def copied(self) -> Self:
        """Another error that says the same, for who keeps this one."""
        error = type(self).of(self.issues)
        error.headers = self.headers
        return error

    def coded(self, detail: str) -> Self:
        """The same error with a code of the cabinet's; edits and returns itself."""
        self.issues = tuple(replace(issue, detail=detail) for issue in self.issues)
        return self

    def at(self, prefix: str) -> Self:
        """The same error seen from an enclosing element; edits and returns itself."""
        self.issues = tuple(issue.at(prefix) for issue in self.issues)
        return self


class Invalid(FhirError):
    status, code = 400, "invalid"


class MissingElement(Invalid):
    code = "required"


class BadValue(Invalid):
    code = "value"


class Malformed(Invalid):
    code = "structure"


class UnknownParameter(Invalid):
    code = "not-supported"


class NotSupported(Invalid):
    code = "not-supported"


class TooCostly(Invalid):
    code = "too-costly"


class Unauthenticated(FhirError):
    status, code = 401, "login"


class Forbidden(FhirError):
    status, code = 403, "forbidden"


class NotFound(FhirError):
    status, code = 404, "not-found"


class UnknownType(NotFound):
    code = "not-supported"


class MethodNotAllowed(FhirError):
    status, code = 405, "not-supported"

    def __init__(self, text: Text, *, method: str, allow: Iterable[str]) -> None:
        """`text` may name `{method}` and `{allow}`."""
        verbs = ", ".join(allow)
        super().__init__(text, method=method, allow=verbs)
        self.headers = {"Allow": verbs}


class NotAcceptable(FhirError):
    status, code = 406, "not-supported"


class Conflict(FhirError):
    status, code = 409, "conflict"

    @property
    def is_ruled(self) -> bool:
        """Whether a rule said so, with its code: under its claims, so another try would be
        refused as well."""
        return any(issue.detail for issue in self.issues)


class Duplicate(Conflict):
    code = "duplicate"


class Gone(FhirError):
    status, code = 410, "deleted"


class PreconditionFailed(FhirError):
    status, code = 412, "conflict"


class MultipleMatches(PreconditionFailed):
    code = "multiple-matches"


class TooLarge(FhirError):
    status, code = 413, "too-long"


class UnsupportedMediaType(FhirError):
    status, code = 415, "not-supported"


class Unprocessable(FhirError):
    status, code = 422, "processing"


class BusinessRule(Unprocessable):
    code = "business-rule"


class Throttled(FhirError):
    status, code = 429, "throttled"


RETRY_AFTER: Final = {"Retry-After": "5"}  # seconds; a replica set elects within that


class Unavailable(FhirError):
    status, code = 503, "transient"
    headers: Mapping[str, str] = RETRY_AFTER


class TimedOut(FhirError):
    status, code = 504, "timeout"
    headers: Mapping[str, str] = RETRY_AFTER
