"""What is known beside R4: StructureDefinitions, ValueSets, CodeSystems and SearchParameters of
the operator.

They are held to R4 like any resource, and to what this server can check; one that cannot be
used is refused by its name, at start.

https://hl7.org/fhir/R4/profiling.html
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation.own_profiles import DefinitionError, table
from fhir_server.validation.profile_tree import Profiles
from fhir_server.validation.profiles import Known
from fhir_server.validation.validator import Validator

_PARAMETER: Final = "SearchParameter"
_NAMING: Final = "NamingSystem"
_KINDS: Final = (
    "StructureDefinition",
    "ValueSet",
    "CodeSystem",
    _PARAMETER,
    "OperationDefinition",
    _NAMING,
)
"""The last two are for people and clients to read: what they describe is in the code."""


def known(named: Iterable[tuple[str, JsonObject]]) -> Known:
    """R4's terminology and profiles with those of `named`: name (of a file) and resource.

    Raises:
        DefinitionError: one is not valid, is given twice, or cannot be used.
    """
    names: dict[str, str] = {}
    resources: list[JsonObject] = []
    for name, resource in named:
        url = _checked(name, resource)
        if url in names:
            raise DefinitionError(f"{name}: {url} is defined in {names[url]} too.")
        names[url] = name
        resources.append(resource)
    structures = [each for each in resources if each["resourceType"] == _KINDS[0]]
    codes = [each for each in resources if each["resourceType"] in _KINDS[1:3]]
    rows = table(structures)
    profiles = Profiles(rows)
    for url in rows:
        profiles.find(url)
    parameters = [each for each in resources if each["resourceType"] == _PARAMETER]
    return Known(Terminology(codes), profiles, parameters)


def _checked(name: str, resource: JsonObject) -> str:
    """The canonical of a definition that is valid R4; of a NamingSystem its name."""
    kind = resource.get("resourceType")
    if kind not in _KINDS:
        raise DefinitionError(f"{name}: {kind} is none of {', '.join(_KINDS)}.")
    try:
        Validator().check(resource, kind)
    except FhirError as error:
        issue = error.issues[0]
        where = ", ".join(issue.expression)
        raise DefinitionError(f"{name}: {where}: {issue.in_language('en')}") from error
    if kind == _NAMING:
        return f"{_NAMING} {resource['name']}"
    url = resource.get("url")
    if not isinstance(url, str):
        raise DefinitionError(f"{name}: a definition needs a url.")
    return url
