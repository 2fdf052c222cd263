"""Whether a resource may be written, and all that is to be said of it.

Two quick passes say yes to nearly everything that is right: the gate (JSON Schema) and the
remainder. Only what they do not vouch for is walked, and the walker has the last word.

| what is broken                                                       | status |
|----------------------------------------------------------------------|--------|
| structure, cardinality, types, formats, bindings, references,        | 400    |
| narrative, invariants of the base standard                           |        |
| a profile that `meta.profile` claims or the operator requires, an    | 422    |
| extension's own definition, the check digits of a national number    |        |

"400 Bad Request - resource could not be parsed or failed basic FHIR validation rules",
"422 Unprocessable Entity - the proposed resource violated applicable FHIR profiles or server
business rules": https://hl7.org/fhir/R4/http.html#create

https://hl7.org/fhir/R4/validation.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from fhir_server.core.errors import Invalid, Issue, Severity, Unprocessable
from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation import extensions, profile_texts, profiles, remainder, texts
from fhir_server.validation.identifiers import wrong_numbers
from fhir_server.validation.own_profiles import DefinitionError
from fhir_server.validation.profile_tree import Profiles
from fhir_server.validation.profiles import Known
from fhir_server.validation.walker import MAX_ISSUES, walk


class Validator:
    """Validates against the base standard of R4, R4's own profiles, and those handed in."""

    def __init__(
        self,
        terminology: Terminology | None = None,
        profiles: Profiles | None = None,
        numbers: Severity | None = None,
        required: Iterable[str] = (),
    ) -> None:
        """`numbers`: what a national number is that cannot be right; None: nothing. `required`:
        profiles that every resource of their type is held to, claimed or not.

        Raises:
            DefinitionError: one of these is not known.
        """
        self.terminology = terminology or Terminology()
        self._profiles = profiles or Profiles()
        self._known = Known(self.terminology, self._profiles)
        self._own_extensions = self._profiles.own_extensions
        self._numbers: Severity | None = numbers
        self._required = _by_type(self._profiles, required)

    def warm_up(self, kinds: Iterable[str]) -> None:
        """Compile for these types now rather than on their first write.

        A type costs about 10 ms and 1.5 MB; all 146 cost a second and 260 MB.
        """
        for kind in kinds:
            remainder.prepare(kind)

    def check(self, resource: JsonObject, kind: str) -> None:
        """Let pass what may be stored as a resource of type `kind`; tells errors only.

        Raises:
            Invalid: the base standard is broken; every error.
            Unprocessable: a known profile that the resource claims is broken, the definition
            of an extension, or a number that is checked; every error.
        """
        sound = remainder.accepts(resource, kind)
        if not sound:
            errors = _errors(walk(resource, kind, self.terminology))
            if errors:
                raise Invalid.of(errors)
        errors = []
        own = self._own_extensions
        if not sound or (own and extensions.is_named(resource, own)):
            errors += _errors(extensions.issues(self._known, resource, kind))
        if any(self._profiles.find(url) for url in self._held_to(resource, kind)):
            errors += _errors(self._claimed(resource, kind))
        if self._numbers == "error":
            errors += wrong_numbers(resource, kind, "error")
        if errors:
            raise Unprocessable.of(errors[:MAX_ISSUES])

    def validate(
        self, resource: JsonObject, kind: str, asked: Iterable[str] = ()
    ) -> list[Issue]:
        """Everything there is to say, warnings too; never empty, as `$validate` answers.

        `asked` are profiles to validate against beside those of `meta.profile`.
        """
        found = walk(resource, kind, self.terminology, warnings=True)
        found += islice(extensions.issues(self._known, resource, kind), MAX_ISSUES)
        if self._numbers is not None:
            found += wrong_numbers(resource, kind, self._numbers)
        for url in asked:
            found += self._against(url, resource, kind, "error")
        known = set(asked)
        found += [
            i for i in self._claimed(resource, kind) if i.args.get("profile") not in known
        ]
        return found or [Issue("informational", texts.ALL_WELL, {}, "information")]

    def _claimed(self, resource: JsonObject, kind: str) -> Iterator[Issue]:
        urls = self._held_to(resource, kind)
        implied = {each for url in urls for each in self._profiles.implied(url)}
        for url in urls:
            if url not in implied:
                yield from self._against(url, resource, kind, "warning")

    def _held_to(self, resource: JsonObject, kind: str) -> Sequence[str]:
        claimed = _profiles(resource)
        required = self._required.get(kind)
        return [*dict.fromkeys((*claimed, *required))] if required else claimed

    def _against(
        self, url: str, resource: JsonObject, kind: str, unknown: Severity
    ) -> list[Issue]:
        profile = self._profiles.find(url)
        if profile is None:
            text = texts.UNKNOWN_PROFILE if unknown == "warning" else profile_texts.NOT_KNOWN
            return [Issue("not-found", text, {"profile": url}, unknown, (kind,))]
        return profiles.issues(self._known, profile, resource, kind)[:MAX_ISSUES]


def _by_type(profiles: Profiles, urls: Iterable[str]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for url in urls:
        profile = profiles.find(url)
        if profile is None or profile.type not in RESOURCE_TYPES:
            raise DefinitionError(
                f"{url} is required, and no profile of a resource is called so."
            )
        found.setdefault(profile.type, []).append(url)
    return found


def _errors(found: Iterable[Issue]) -> list[Issue]:
    return [each for each in found if each.severity == "error"]


def _profiles(resource: JsonObject) -> list[str]:
    """What the resource claims to obey; a broken `meta` is the walker's to tell."""
    meta = resource.get("meta")
    urls = meta.get("profile") if isinstance(meta, dict) else None
    return [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []
