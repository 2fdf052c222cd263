"""`_sort`: its items as sort keys, and the two values of each type that an index sorts by.

Most sorting asks for a type's one date, or for a name. These are kept with each resource
beside its other values (`IndexValues.sort_date`, `sort_text`), written by the index side
from the same tables; every other parameter is sorted by its computed least value.

https://hl7.org/fhir/R4/search.html#sort
"""

from collections.abc import Iterable, Mapping
from typing import Final

from fhir_server.core.errors import NotSupported, TooCostly
from fhir_server.core.messages import Text
from fhir_server.search import keys
from fhir_server.search.criteria import find
from fhir_server.search.plan import Direction, SortKey, ValueField
from fhir_server.search.scope import Scope
from fhir_server.spec.search_parameters import SearchType

NO_ORDER: Final = Text(
    "Results cannot be sorted by `{code}`.",
    "По `{code}` результаты нельзя отсортировать.",
    "За `{code}` результати не можна впорядкувати.",
)
MANY_SORTS: Final = Text(
    "`_sort` may have {limit} items.",
    "В `_sort` может быть не больше элементов: {limit}.",
    "У `_sort` може бути не більше елементів: {limit}.",
)

#: Parameter -> the types whose chief date it is: an element that occurs at most once.
_DATES: Final = {
    "date": """ActivityDefinition AdverseEvent AllergyIntolerance Appointment AuditEvent
        CapabilityStatement CarePlan CareTeam ChargeItemDefinition ClinicalImpression
        CodeSystem CompartmentDefinition Composition ConceptMap Consent DiagnosticReport
        DocumentReference EffectEvidenceSynthesis Encounter EpisodeOfCare EventDefinition
        Evidence EvidenceVariable ExampleScenario FamilyMemberHistory Flag GraphDefinition
        Immunization ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide
        Invoice Library List Measure MeasureReport MessageDefinition NamingSystem
        Observation OperationDefinition OrganizationAffiliation PlanDefinition
        PractitionerRole Procedure Questionnaire ResearchDefinition
        ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment
        RiskEvidenceSynthesis Schedule SearchParameter StructureDefinition StructureMap
        SupplyRequest TerminologyCapabilities TestScript ValueSet""",
    "authored": "CommunicationRequest QuestionnaireResponse RequestGroup ServiceRequest",
    "authored-on": "DeviceRequest Task",
    "authoredon": "MedicationRequest",
    "birthdate": "Patient Person RelatedPerson",
    "created": """Basic Claim ClaimResponse CoverageEligibilityRequest
        CoverageEligibilityResponse DocumentManifest ExplanationOfBenefit Media
        PaymentNotice PaymentReconciliation""",
    "collected": "Specimen",
    "datetime": "NutritionOrder",
    "datewritten": "VisionPrescription",
    "effective": "MedicationStatement",
    "effective-time": "MedicationAdministration",
    "entered-date": "ChargeItem",
    "expiration-date": "Medication",
    "identified": "DetectedIssue",
    "issued": "Contract TestReport",
    "period": "Account",
    "recorded": "Provenance",
    "recorded-date": "Condition",
    "sent": "Communication",
    "start": "Slot",
    "start-date": "Goal",
    "started": "ImagingStudy",
    "timestamp": "Bundle",
    "whenhandedover": "MedicationDispense",
}

#: Parameter -> the types whose chief string it is; it may occur often.
_STRINGS: Final = {
    "family": "Patient Practitioner",
    "name": """Account ActivityDefinition CapabilityStatement CodeSystem
        CompartmentDefinition ConceptMap EffectEvidenceSynthesis Endpoint EventDefinition
        Evidence EvidenceVariable ExampleScenario GraphDefinition HealthcareService
        ImplementationGuide InsurancePlan Library Location Measure MedicinalProduct
        MessageDefinition NamingSystem OperationDefinition Organization Person
        PlanDefinition Questionnaire RelatedPerson ResearchDefinition
        ResearchElementDefinition RiskEvidenceSynthesis SearchParameter
        StructureDefinition StructureMap TerminologyCapabilities TestScript ValueSet""",
    "title": "ChargeItemDefinition Composition List ResearchStudy",
    "device-name": "Device",
    "description": "DocumentManifest DocumentReference",
}


def _by_type(rows: Mapping[str, str]) -> dict[str, str]:
    return {kind: code for code, kinds in rows.items() for kind in kinds.split()}


CHIEF_DATE: Final[Mapping[str, str]] = _by_type(_DATES)
CHIEF_STRING: Final[Mapping[str, str]] = _by_type(_STRINGS)

_FIELDS: Final[Mapping[SearchType, ValueField]] = {
    "number": "quantities",
    "date": "dates",
    "string": "strings",
    "token": "tokens",
    "reference": "references",
    "quantity": "quantities",
    "uri": "uris",
}


def sort_keys(scope: Scope, kind: str, items: Iterable[str]) -> tuple[SortKey, ...]:
    """The items of `_sort` as keys, the most significant first; later repeats are dropped.

    Raises:
        UnknownParameter: an item is no parameter of `kind`.
        NotSupported: there is no order by it.
        TooCostly: there are too many.
    """
    found: dict[str, SortKey] = {}
    for item in items:
        code = item.removeprefix("-")
        direction: Direction = "desc" if item.startswith("-") else "asc"
        found.setdefault(code, _key(scope, kind, code, direction))
    if len(found) > scope.limits.sort:
        raise TooCostly(MANY_SORTS, limit=scope.limits.sort)
    every = tuple(found.values())
    ends = next((n for n, key in enumerate(every, 1) if key.by == "id"), len(every))
    return every[:ends]  # nothing is left to order behind the id


def _key(scope: Scope, kind: str, code: str, direction: Direction) -> SortKey:
    parameter = find(scope, kind, code)
    if code == "_id":
        return SortKey("id", direction)
    if code == "_lastUpdated":
        return SortKey("updated", direction)
    if CHIEF_DATE.get(kind) == code:
        return SortKey("chief-date", direction)
    if CHIEF_STRING.get(kind) == code:
        return SortKey("chief-string", direction)
    field = _FIELDS.get(parameter.type)
    if field is None or parameter.expression is None:
        raise NotSupported(NO_ORDER, code=code)
    return SortKey("values", direction, field, _prefix(parameter.type, code))


def _prefix(kind: SearchType, code: str) -> str:
    match kind:
        case "date":
            return code
        case "token":
            return keys.token_system(code, keys.ANY_SYSTEM)
        case "number" | "quantity":
            return keys.any_quantity(code)
        case "uri" | "reference" | "string" | "composite" | "special":
            return keys.folded(code, "")
