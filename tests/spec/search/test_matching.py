"""One row for each kind of search, over the running application.

https://hl7.org/fhir/R4/search.html
"""

import pytest

from tests.spec.search.conftest import Find

KG = "http://unitsofmeasure.org|kg"
MR = "http://terminology.hl7.org/CodeSystem/v2-0203|MR"
ROWS = [
    # string
    ("Patient?name=королев", ["s-p1", "s-p2"]),
    ("Patient?family=КОРОЛЁВ", ["s-p1", "s-p2"]),
    ("Patient?family:exact=Королёв", ["s-p1"]),
    ("Patient?family:exact=королёв", []),
    ("Patient?given=ганна,иванна", ["s-p2"]),
    ("Patient?given=zoe", ["s-p3"]),
    ("Patient?name:contains=mit", ["s-p3"]),
    ("Patient?family=smith\\,", ["s-p3"]),
    ("Patient?family=.*", []),
    ("Practitioner?name=йовенко", ["s-d1"]),
    ("Practitioner?name=иовенко", ["s-d1"]),
    # token
    ("Patient?gender=male", ["s-p1"]),
    ("Patient?gender=http://hl7.org/fhir/administrative-gender|male", ["s-p1"]),
    ("Patient?gender:not=male", ["s-p2", "s-p3"]),
    ("Patient?gender:missing=true", ["s-p3"]),
    ("Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", ["s-p1", "s-p2"]),
    ("Patient?identifier=urn:test:mrn|A\\|1", ["s-p1"]),
    ("Patient?identifier=A\\|1", ["s-p1"]),
    ("Patient?identifier=urn:test:mrn|", ["s-p1"]),
    (f"Patient?identifier:of-type={MR}|A\\|1", ["s-p1"]),
    ("Patient?active=true", ["s-p1"]),
    ("Observation?code=29463-7&status=final", ["s-w1", "s-w2", "s-w3"]),
    ("Observation?code:text=blood", ["s-b1", "s-b2"]),
    ("Observation?code:text=weight", ["s-w1", "s-w2", "s-w3"]),
    ("Condition?code:missing=false", ["s-c1"]),
    ("Condition?code:text=боль", ["s-c1"]),
    # date
    ("Patient?birthdate=1970-05-05", ["s-p1"]),
    ("Patient?birthdate=1990", ["s-p2"]),
    ("Patient?birthdate=1990-12-01", []),
    ("Patient?birthdate=ge1990", ["s-p2", "s-p3"]),
    ("Patient?birthdate=ne1990-12", ["s-p1", "s-p3"]),
    ("Observation?date=gt2024-01-01&date=lt2024-02-02", ["s-b1", "s-b2"]),
    ("Observation?date=2024-01-01T10:00Z", ["s-w1"]),
    ("Observation?date=2024-01-01T13:00%2B03:00", ["s-w1"]),
    ("Observation?date=2024-01-01T13:00+03:00", ["s-w1"]),
    ("Observation?date=sa2024-02-03", ["s-w2"]),
    ("Observation?date=eb2024", ["s-w3"]),
    ("Observation?date=2024-02", ["s-b1", "s-b2"]),
    # quantity
    (f"Observation?value-quantity=81|{KG}", ["s-w2"]),
    (f"Observation?value-quantity=gt60|{KG}", ["s-w1", "s-w2", "s-w3"]),
    ("Observation?value-quantity=81000||g", ["s-w2"]),
    ("Observation?value-quantity=80", ["s-w1"]),
    (f"Observation?value-quantity=ap62|{KG}", ["s-w3"]),
    # composite
    ("Observation?component-code-value-quantity=http://loinc.org|8480-6$ge140", ["s-b1"]),
    ("Observation?component-code-value-quantity=8462-4$140", ["s-b2"]),
    ("Observation?code-value-quantity=29463-7$gt80||kg", []),
    (f"Observation?code-value-quantity=29463-7$gt80|{KG}", ["s-w2"]),
    # reference
    ("Observation?subject=Patient/s-p2", ["s-b2", "s-w3"]),
    ("Observation?patient=s-p2", ["s-b2", "s-w3"]),
    ("Observation?subject:Patient=s-p2", ["s-b2", "s-w3"]),
    ("Observation?patient=s-p1,s-p2&status=final", ["s-w1", "s-w2", "s-w3"]),
    ("Observation?performer=s-d1&patient=s-p2", ["s-w3"]),
    ("Encounter?subject:identifier=urn:test:mrn|A\\|1", ["s-e1"]),
    ("Encounter?subject:missing=false", ["s-e1"]),
    ("Encounter?service-provider=http://other.example/departments/5", ["s-e1"]),
    ("QuestionnaireResponse?questionnaire=http://test.example/q", ["s-qr1"]),
    ("QuestionnaireResponse?questionnaire=http://test.example/q|1.0", ["s-qr1"]),
    ("QuestionnaireResponse?questionnaire=http://test.example/q|2.0", []),
    ("QuestionnaireResponse?questionnaire.title=how", ["s-qr1"]),
    ("QuestionnaireResponse?questionnaire:Questionnaire.status=draft", []),
    ("Questionnaire?_has:QuestionnaireResponse:questionnaire:patient=s-p1", ["s-q1"]),
    ("Questionnaire?_has:QuestionnaireResponse:questionnaire:patient=s-p2", []),
    # uri
    ("Questionnaire?url=http://test.example/q", ["s-q1"]),
    ("Questionnaire?url=http://test.example/q|1.0", ["s-q1"]),
    ("Questionnaire?url=http://test.example/q|2.0", []),
    ("Questionnaire?url:below=http://test.example", ["s-q1"]),
    ("Questionnaire?url:above=http://test.example/q/1", ["s-q1"]),
    # special
    ("Location?near=55.75|37.61|100|m", ["s-l1"]),
    ("Location?near=55.75|37.61|5|km", ["s-l1", "s-l2"]),
    ("Patient?_list=s-list", ["s-p1", "s-p3"]),
    ("Patient?_id=s-p1,s-p9", ["s-p1"]),
    ("Patient?_lastUpdated=ge2024&_id=s-p1", ["s-p1"]),
    ("Patient?_lastUpdated=lt2024", []),
    ("Condition?_text=грудиной", ["s-c1"]),
    ("Condition?_text=боль грудиной", ["s-c1"]),
    ("Condition?_text=боль спина", []),
    ("Condition?_content=острая", ["s-c1"]),
    # chains
    ("Observation?subject:Patient.name=королева", ["s-b2", "s-w3"]),
    ("Observation?patient.gender=female", ["s-b2", "s-w3"]),
    ("Observation?patient.general-practitioner.name=йовенко&status=final", ["s-w1", "s-w2"]),
    ("Observation?patient.organization.partof.name=поликлиника&status=final", ["s-w1", "s-w2"]),
    ("Encounter?location:below=s-l1", ["s-e1"]),
    ("MedicationRequest?medication.code=urn:test:drugs|asa", ["s-mr1"]),
    ("MedicationRequest?medication.code=ibuprofen", []),
    ("Patient?_has:Observation:patient:value-quantity=gt70", ["s-p1"]),
    ("Patient?_has:Observation:patient:_has:Provenance:target:agent=s-d1", ["s-p1"]),
    ("Organization?_has:Patient:organization:gender=male", ["s-o2"]),
    # _filter
    ("Patient?_filter=gender eq male or birthdate ge 2001", ["s-p1", "s-p3"]),
    ("Patient?_filter=not (gender pr true)", ["s-p3"]),
    ("Patient?_filter=family ew ева", ["s-p2"]),
    ("Condition?_text=(боль or спина) and not колено", ["s-c1"]),
    ('Observation?_filter=patient.name co "короле" and date ge 2024-03', ["s-w2"]),
    # compartments and several types
    ("Patient/s-p2/Observation", ["s-b2", "s-w3"]),
    ("Patient/s-p2/Observation?status=final", ["s-w3"]),
    ("Patient/s-p2/*", ["s-b2", "s-p2", "s-w3"]),
    ("?_type=Organization,Practitioner", ["s-d1", "s-o1", "s-o2"]),
    ("?_type=Observation,Encounter&status=finished,preliminary", ["s-b1", "s-b2", "s-e1"]),
    ("?_id=s-p1,s-w1", ["s-p1", "s-w1"]),
]


@pytest.mark.parametrize(("query", "ids"), ROWS, ids=[query for query, _ in ROWS])
def test_a_search_finds(find: Find, query: str, ids: list[str]) -> None:
    assert find(query) == ids
