"""The folder that shows scopes, Consents and the audit at work on a demo patient's record.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from typing import Any, Final

from scripts.postman import scripts
from scripts.postman.requests import (
    before,
    folder,
    issue,
    keep,
    request,
    resource,
    status,
    with_token,
)
from scripts.postman.signing_in import (
    EVERYTHING,
    OWN,
    PATIENT,
    allow,
    redeem,
    service,
    sign_in,
    sign_out,
)

JsonObject = dict[str, Any]

_OTHER: Final = "Patient/oksana-lukianenko-ua"
_LABORATORY: Final = "Observation/tsh-01-anna-ivanova-ru"
_VITAL: Final = "Observation/weight-01-anna-ivanova-ru"
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_GRANTS: Final = "https://fhir-server.example/CodeSystem/consent-category|smart-grant"
_HL7: Final = "http://terminology.hl7.org/CodeSystem/"

_OPEN: Final = ["Organization", "Practitioner", "PractitionerRole", "Location"]
_ENTRIES: Final = "const entries = pm.response.json().entry || [];"


def scopes() -> JsonObject:
    """Tokens of several widths, and what each opens."""
    found = folder(
        "Scopes at work",
        [_tokens(), _whole(), _narrow(), _audit(), _denial(), _apps()],
        "Needs an environment with accounts, and runs from its beginning: tokens are good for "
        "ten minutes.",
    )
    return before(found, *scripts.ONLY_WITH_ACCOUNTS)


def _tokens() -> JsonObject:
    laboratory = (OWN, ("see-0", "yes"), ("span-0", "all"), ("see-1", "yes"),
                  ("span-1", "chosen"), ("part-1", f"{_CATEGORY}|laboratory"))  # fmt: skip
    of_consents = (OWN, ("see-0", "yes"), ("write-0", "yes"))
    wanted = ["patient/Patient.rs", f"patient/Observation.rs?category={_CATEGORY}|laboratory"]
    return folder(
        "Tokens",
        [
            service(),
            folder(
                "The patient lets an app read everything",
                [
                    *sign_in(
                        "patient", "openid fhirUser launch/patient patient/*.rs", EVERYTHING
                    ),
                    redeem("whole_token", keep("id_token", "pm.response.json().id_token")),
                ],
            ),
            folder(
                "of what it asks only laboratory results",
                [
                    *allow(
                        "launch/patient patient/Patient.rs patient/Observation.rs", laboratory
                    ),
                    redeem(
                        "narrow_token",
                        "pm.test('the scope says what was kept', () => pm.expect("
                        "pm.response.json().scope.split(' ').filter(s => s.includes('/') && "
                        f"!s.startsWith('launch'))).to.have.members({wanted}));",
                    ),
                ],
            ),
            folder(
                "and look after Consents",
                [
                    *allow("launch/patient patient/Consent.cruds", of_consents),
                    redeem("consent_token"),
                    sign_out(),
                ],
            ),
            folder(
                "A doctor",
                [
                    *sign_in("doctor", "openid fhirUser user/*.rs", EVERYTHING),
                    redeem("doctor_token", keep("id_token", "pm.response.json().id_token")),
                    sign_out(),
                ],
            ),
        ],
    )


def _whole() -> JsonObject:
    written = {"resourceType": "Observation", "status": "final", "code": {"text": "Mood"},
               "subject": {"reference": PATIENT}}  # fmt: skip
    own = f"e.resource.subject.reference === '{PATIENT}'"
    return folder(
        "patient/*.rs",
        [
            _as("whole", "The own record", "GET", f"/{PATIENT}", status(200),
                resource("Patient")),
            _as("whole", "Another's is not there", "GET", f"/{_OTHER}", status(404),
                issue("not-found")),
            _as("whole", "A search finds the own record alone", "GET", "/Patient",
                status(200), _ENTRIES,
                "pm.test('one, and it is the own', () => pm.expect(entries.map("
                f"e => e.resource.id)).to.eql(['{OWN[1]}']));"),
            _as("whole", "and own Observations alone", "GET", "/Observation",
                status(200), *_only("Observation", own),
                query=(("_count", "200"),)),
            _as("whole", "Asking for another's finds nothing", "GET", "/Observation",
                status(200), *scripts.answers(total="0"),
                query=(("patient", _OTHER), ("_total", "accurate"))),
            _as("whole", "Writing is refused", "POST", "/Observation", *_insufficient(),
                body=written),
        ],
    )  # fmt: skip


def _narrow() -> JsonObject:
    laboratory = "e.resource.category.some(c => c.coding.some(d => d.code === 'laboratory'))"
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": PATIENT}},
        {"request": {"method": "GET", "url": "Condition"}},
        {"request": {"method": "GET", "url": _VITAL}},
    ]}  # fmt: skip
    return folder(
        "patient/Patient.rs patient/Observation.rs?category=laboratory",
        [
            _as("narrow", "A result", "GET", f"/{_LABORATORY}", status(200),
                resource("Observation")),
            _as("narrow", "The weight is of another category", "GET", f"/{_VITAL}",
                status(404), issue("not-found")),
            _as("narrow", "A search is narrowed too", "GET", "/Observation", status(200),
                *_only("Observation", laboratory), query=(("_count", "200"),)),
            _as("narrow", "A type without a scope", "GET", "/Condition", *_insufficient()),
            _as("narrow", "_include of what the scope has", "GET", "/Observation",
                status(200), _ENTRIES,
                "pm.test('brings the patient', () => pm.expect(entries.filter("
                "e => e.search.mode === 'include').map(e => e.resource.id))"
                f".to.eql(['{OWN[1]}']));",
                query=(("_include", "Observation:subject"), ("_count", "5"))),
            _as("narrow", "_revinclude stays within the scope", "GET", "/Patient",
                status(200), *_only("Observation", laboratory),
                query=(("_revinclude", "Observation:subject"),)),
            _as("narrow", "$everything too", "GET", f"/{PATIENT}/$everything", status(200),
                "// Any token of a person reads the directory; the own account needs fhirUser.",
                f"const open = {_OPEN};",
                *_only("Observation", laboratory),
                "pm.test('of no other type', () => pm.expect([...new Set(entries.map("
                "e => e.resource.resourceType).filter(t => !open.includes(t)))])"
                ".to.have.members(['Patient', 'Observation']));"),
            _as("narrow", "In a batch an entry is refused alone", "POST", "/", status(200),
                "const answers = pm.response.json().entry.map("
                "e => e.response.status.slice(0, 3));",
                "pm.test('read, refused, not there', () => "
                "pm.expect(answers).to.eql(['200', '403', '404']));",
                body=batch),
        ],
    )  # fmt: skip


def _audit() -> JsonObject:
    seen = (
        "pm.test('the doctor and the result are in it', () => pm.expect(entries.some(e =>",
        "  JSON.stringify(e.resource.agent).includes('Practitioner/dr-sokolova') &&",
        f"  JSON.stringify(e.resource.entity).includes('{_LABORATORY}'))).to.eql(true));",
    )
    return folder(
        "Who looked",
        [
            _as("doctor", "A doctor reads a result", "GET", f"/{_LABORATORY}", status(200),
                resource("Observation")),
            _as("whole", "The patient sees that", "GET", "/AuditEvent", status(200),
                _ENTRIES, *seen,
                query=(("patient", PATIENT), ("_sort", "-date"), ("_count", "20"))),
        ],
    )  # fmt: skip


def _consent(status_: str) -> JsonObject:
    def coded(system: str, code: str) -> JsonObject:
        return {"coding": [{"system": system, "code": code}]}

    denial = {"type": "deny", "code": [coded(_CATEGORY, "laboratory")]}
    return {
        "resourceType": "Consent",
        "status": status_,
        "scope": coded(f"{_HL7}consentscope", "patient-privacy"),
        "category": [coded("http://loinc.org", "59284-0")],
        "patient": {"reference": PATIENT},
        "performer": [{"reference": PATIENT}],
        "dateTime": "2026-01-10T10:00:00Z",
        "policy": [{"uri": "https://fhir-server.example/postman/no-results"}],
        "provision": {"type": "permit", "provision": [denial]},
    }


def _denial() -> JsonObject:
    withdrawn = _consent("inactive") | {"id": "{{consent}}"}
    results = (("patient", PATIENT), ("category", f"{_CATEGORY}|laboratory"),
               ("_total", "accurate"), ("_count", "1"))  # fmt: skip
    return folder(
        "A Consent denies, and is withdrawn",
        [
            _as("consent", "The patient hides laboratory results", "POST", "/Consent",
                status(201), keep("consent", "pm.response.json().id"),
                body=_consent("active")),
            _as("doctor", "The doctor does not find them", "GET", "/Observation",
                status(200), *scripts.answers(total="0"), query=results),
            _as("doctor", "nor read one", "GET", f"/{_LABORATORY}", status(404),
                issue("not-found")),
            _as("doctor", "but the weight", "GET", f"/{_VITAL}", status(200),
                resource("Observation")),
            _as("whole", "The patient sees all", "GET", f"/{_LABORATORY}", status(200),
                resource("Observation")),
            _as("consent", "The patient withdraws it", "PUT", "/Consent/{{consent}}",
                status(200), body=withdrawn),
            _as("doctor", "The doctor reads again", "GET", f"/{_LABORATORY}", status(200),
                resource("Observation")),
        ],
    )  # fmt: skip


def _apps() -> JsonObject:
    narrow = (
        _ENTRIES,
        "const grant = entries.map(e => e.resource).find(c => JSON.stringify(c.extension)",
        "  .includes('patient/Observation.rs?category='));",
        "pm.test('the narrow grant is among them', () => pm.expect(grant).to.be.an('object'));",
        keep("grant", "JSON.stringify({...grant, status: 'inactive'})"),
        keep("grant_id", "grant.id"),
    )
    return folder(
        "Apps that were let in",
        [
            _as("consent", "The patient lists them", "GET", "/Consent", status(200), *narrow,
                query=(("category", _GRANTS), ("status", "active"),
                       ("_sort", "-_lastUpdated"))),
            _as("consent", "and ends one", "PUT", "/Consent/{{grant_id}}", status(200),
                body="{{grant}}"),
            before(
                _as("narrow", "Its token is worth nothing", "GET", f"/{_LABORATORY}",
                    status(401), issue("login")),
                scripts.wait(1100),
            ),
            _as("whole", "Others work on", "GET", f"/{_LABORATORY}", status(200),
                resource("Observation")),
        ],
    )  # fmt: skip


def _as(who: str, name: str, method: str, path: str, *tests: str, **more: Any) -> JsonObject:
    return with_token(f"{who}_token", request(name, method, path, *tests, **more))


def _only(kind: str, condition: str) -> tuple[str, ...]:
    """There are resources of this type on the page, and all fulfil the condition."""
    return (
        _ENTRIES,
        f"const found = entries.filter(e => e.resource.resourceType === '{kind}');",
        "pm.test('there are some, and no others', () => {",
        "  pm.expect(found.length).to.be.above(0);",
        f"  pm.expect(found.every(e => {condition})).to.eql(true);",
        "});",
    )


def _insufficient() -> tuple[str, ...]:
    return (
        status(403),
        issue("forbidden"),
        "pm.test('says which scope is missing', () => pm.expect(",
        "  pm.response.headers.get('WWW-Authenticate'))",
        "  .to.match(/^Bearer .*insufficient_scope.*scope=/));",
    )
