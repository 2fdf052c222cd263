"""The folder that signs in: a backend service, a person without a browser, what is refused.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from collections.abc import Sequence
from typing import Any, Final

from fhir_server.cabinet.accounts.demo import APP, SERVICE
from scripts.postman import scripts
from scripts.postman.requests import (
    before,
    folder,
    header,
    issue,
    keep,
    page,
    request,
    resource,
    status,
    with_token,
    without_redirects,
)

JsonObject = dict[str, Any]
Pairs = Sequence[tuple[str, str]]

REDIRECT: Final = "https://oauth.pstmn.io/v1/callback"
SCOPE: Final = "openid fhirUser launch/patient offline_access patient/*.rs"
PATIENT: Final = "Patient/anna-ivanova-ru"

VARIABLES: Final = {
    "token": "",
    "client_id": APP,
    "service_id": SERVICE,
    "redirect_uri": REDIRECT,
}
"""Of the collection. `token` is what requests are sent with that name no other."""

OWN: Final = ("patient", PATIENT.removeprefix("Patient/"))
"""Whose record, where the person has a choice."""
EVERYTHING: Final = (OWN, ("identity", "yes"), ("see-0", "yes"), ("span-0", "all"))
"""What the person ticks on the consent page; a number is the place of a resource scope."""
LASTING: Final = (("offline", "yes"), ("duration", "30"))
_WAITING: Final = (("request", "{{waiting}}"),)
"""The authorization request that the form belongs to, as the page names it."""


def by_hand() -> JsonObject:
    """The collection's own authorization: "Get New Access Token" in Postman."""
    values: dict[str, Any] = {
        "tokenName": "FHIR server",
        "grant_type": "authorization_code_with_pkce",
        "challengeAlgorithm": "S256",
        "authUrl": "{{issuer}}/auth/authorize",
        "accessTokenUrl": "{{issuer}}/auth/token",
        "refreshTokenUrl": "{{issuer}}/auth/token",
        "redirect_uri": REDIRECT,
        "useBrowser": True,
        "clientId": "{{client_id}}",
        "clientSecret": "",
        "client_authentication": "body",
        "scope": SCOPE,
        "state": "by-hand",
        "authRequestParams": [
            {"key": "aud", "value": "{{base}}", "enabled": True, "send_as": "request_url"}
        ],
        "addTokenTo": "header",
        "headerPrefix": "Bearer",
        "accessToken": "{{token}}",
    }
    kinds = {bool: "boolean", list: "any"}
    rows = [
        {"key": key, "value": value, "type": kinds.get(type(value), "string")}
        for key, value in values.items()
    ]
    return {"type": "oauth2", "oauth2": rows}


def signing_in() -> JsonObject:
    """Everything about tokens, but for what they open."""
    found = folder(
        "Signing in",
        [_discovery(), service(), _person(), _refused(), sign_out()],
        "Needs an environment with accounts, such as `serve --demo` writes; without them it is "
        "passed over. By hand: the collection's tab Authorization, Get New Access Token.",
    )
    return before(found, *scripts.ONLY_WITH_ACCOUNTS)


def _discovery() -> JsonObject:
    return with_token(
        "",
        request(
            "What the server offers",
            "GET",
            "/.well-known/smart-configuration",
            status(200),
            *scripts.answers(
                issuer="pm.environment.get('issuer')",
                authorization_endpoint="pm.environment.get('issuer') + '/auth/authorize'",
                token_endpoint="pm.environment.get('issuer') + '/auth/token'",  # noqa: S106
                code_challenge_methods_supported="['S256']",
            ),
        ),
    )


def service() -> JsonObject:
    """A token of the backend service, by an assertion that is signed here."""
    asked = (
        ("grant_type", "client_credentials"),
        ("scope", "system/*.cruds"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", "{{client_assertion}}"),
    )
    return folder(
        "A backend service",
        [
            before(
                _token(
                    "A token for an assertion",
                    asked,
                    status(200),
                    *scripts.answers(scope="'system/*.cruds'"),
                    keep("token", "pm.response.json().access_token"),
                    keep("service_token", "pm.response.json().access_token"),
                ),
                *scripts.ASSERTION,
            ),
            _token(
                "The same assertion once more", asked, status(401),
                scripts.refuses("invalid_client"),
            ),
            with_token(
                "service_token",
                request(
                    "The token reads", "GET", f"/{PATIENT}", status(200), resource("Patient")
                ),
            ),
        ],
        "The token is good for five minutes; every other folder is sent with it.",
    )  # fmt: skip


def _person() -> JsonObject:
    known = (
        status(200),
        *scripts.answers(active="true", client_id=f"'{APP}'", patient=f"'{OWN[1]}'"),
    )
    fresh = (
        status(200),
        "pm.test('is another refresh token', () => pm.expect(pm.response.json().refresh_token)",
        "  .not.to.eql(pm.collectionVariables.get('refresh_token')));",
        keep("used_refresh_token", "pm.collectionVariables.get('refresh_token')"),
        keep("rotated", "Date.now()"),
        keep("newer_refresh_token", "pm.response.json().refresh_token"),
        *_kept("patient_token"),
    )
    return folder(
        "A person, without a browser",
        [
            *sign_in("patient", SCOPE, (*EVERYTHING, *LASTING)),
            redeem(
                "patient_token",
                *scripts.answers(patient=f"'{OWN[1]}'"),
                "pm.test('the scope is what was allowed', () => pm.expect("
                "pm.response.json().scope.split(' ')).to.have.members("
                f"{SCOPE.split()}));",
                keep("id_token", "pm.response.json().id_token"),
            ),
            _read("The own record", 200, resource("Patient")),
            _with(
                "Who signed in", "GET", "/auth/userinfo", status(200),
                "pm.test('is the patient', () => "
                f"pm.expect(pm.response.json().fhirUser).to.match(/{OWN[1]}$/));",
            ),
            with_token(
                "service_token",
                page("What the token is worth", "POST", "/auth/introspect", *known,
                     form=(("token", "{{patient_token}}"),)),
            ),
            _token(
                "Refresh",
                (("grant_type", "refresh_token"), ("refresh_token", "{{refresh_token}}"),
                 ("client_id", "{{client_id}}")),
                *fresh,
            ),
            _read("The own record with the new token", 200, resource("Patient")),
        ],
        "What an app and a browser do, request by request: cookies are kept by Postman, the "
        "hidden fields of forms are taken out of the page by scripts.",
    )  # fmt: skip


def _refused() -> JsonObject:
    keeping = (*EVERYTHING, *LASTING)
    over = (status(400), scripts.refuses("invalid_grant"))
    revoked = (("token", "{{refresh_token}}"), ("client_id", "{{client_id}}"))
    foreign = authorize("A redirect URI that is not registered", SCOPE,
                        status(400), "pm.test('nobody is sent anywhere', () => "
                        "pm.expect(pm.response.headers.has('Location')).to.eql(false));",
                        redirect="https://elsewhere.example/callback")  # fmt: skip
    return folder(
        "What is refused, and what ends",
        [
            without_redirects(foreign),
            *allow(SCOPE, keeping),
            redeem(None, *over, verifier="{{state}}{{state}}{{state}}",
                   name="A wrong code verifier"),
            redeem(None, *over, name="The code is used up by that"),
            *allow(SCOPE, keeping),
            redeem("patient_token"),
            redeem(None, *over, name="A code that comes again"),
            before(_read("ends what it had given", 401, issue("login")), scripts.wait(1100)),
            *allow(SCOPE, keeping),
            redeem("patient_token"),
            with_token("", page("Give a token back", "POST", "/auth/revoke", status(200),
                                form=revoked)),
            before(
                _read("ends the access", 401, issue("login"),
                      "pm.test('says what was wrong', () => pm.expect(pm.response.headers."
                      "get('WWW-Authenticate')).to.match(/^Bearer .*invalid_token/));"),
                scripts.wait(1100),
            ),
        ],
        "The person is signed in: the consent page comes at once.",
    )  # fmt: skip


def reuse() -> JsonObject:
    """A refresh token that comes again, when the seconds for tabs of one app are over."""
    late = "const left = pm.collectionVariables.get('rotated') + 10500 - Date.now();"
    found = folder(
        "A stolen refresh token",
        [
            before(
                _late_refresh("One that was used comes again", "used_refresh_token"),
                late,
                "if (left > 0) setTimeout(() => {}, left);",
            ),
            _late_refresh("That ends the newer one too", "newer_refresh_token"),
        ],
        "Of the person in the folder Signing in, when FHIR_REFRESH_GRACE_SECONDS are over: two "
        "have the token, and one of them is a thief.",
    )
    return before(found, *scripts.ONLY_WITH_ACCOUNTS)


def _late_refresh(name: str, variable: str) -> JsonObject:
    form = (
        ("grant_type", "refresh_token"),
        ("refresh_token", f"{{{{{variable}}}}}"),
        ("client_id", "{{client_id}}"),
    )
    return _token(name, form, status(400), scripts.refuses("invalid_grant"))


def sign_out() -> JsonObject:
    """The session ends; the next authorization asks for the password again."""
    return folder(
        "Sign out",
        [
            _plain(
                "Sign out", "GET", "/auth/end-session", status(200),
                query=(("id_token_hint", "{{id_token}}"),),
            ),
            without_redirects(
                _plain("Nobody is signed in", "GET", "/auth/account", status(303),
                       header("Location", "/auth/sign-in"))
            ),
        ],
    )  # fmt: skip


def sign_in(who: str, scope: str, kept: Pairs) -> list[JsonObject]:
    """From the app to the form, by `{{who_email}}` and its password, to a code."""
    return [
        before(
            authorize("An app asks", scope, status(200), *scripts.shows_form("/auth/sign-in")),
            *scripts.PKCE,
        ),
        _plain(
            "Sign in", "POST", "/auth/sign-in", status(200),
            *scripts.shows_form("/auth/consent"),
            query=_WAITING, form=(("csrf", "{{csrf}}"), ("email", f"{{{{{who}_email}}}}"),
                  ("password", f"{{{{{who}_password}}}}")),
        ),
        _consent(kept),
    ]  # fmt: skip


def allow(scope: str, kept: Pairs) -> list[JsonObject]:
    """The same of somebody who is signed in."""
    tests = (status(200), *scripts.shows_form("/auth/consent"))
    return [before(authorize("An app asks", scope, *tests), *scripts.PKCE), _consent(kept)]


def authorize(
    name: str, scope: str, *tests: str, redirect: str = "{{redirect_uri}}"
) -> JsonObject:
    """The authorization request."""
    query = (
        ("response_type", "code"),
        ("client_id", "{{client_id}}"),
        ("redirect_uri", redirect),
        ("scope", scope),
        ("state", "{{state}}"),
        ("aud", "{{base}}"),
        ("code_challenge", "{{code_challenge}}"),
        ("code_challenge_method", "S256"),
    )
    return _plain(name, "GET", "/auth/authorize", *tests, query=query)


def redeem(
    variable: str | None,
    *tests: str,
    name: str = "The code for tokens",
    verifier: str = "{{code_verifier}}",
) -> JsonObject:
    """A code for tokens, which are kept; without a variable, `tests` say what comes instead."""
    asked = (
        ("grant_type", "authorization_code"),
        ("code", "{{code}}"),
        ("redirect_uri", "{{redirect_uri}}"),
        ("client_id", "{{client_id}}"),
        ("code_verifier", verifier),
    )
    kept = (status(200), *_kept(variable)) if variable else ()
    return _token(name, asked, *kept, *tests)


def _kept(variable: str) -> tuple[str, ...]:
    return (
        keep(variable, "pm.response.json().access_token"),
        keep("refresh_token", "pm.response.json().refresh_token || ''"),
    )


def _consent(kept: Pairs) -> JsonObject:
    form = (("csrf", "{{csrf}}"), *kept, ("answer", "allow"))
    return without_redirects(
        _plain(
            "Allow it", "POST", "/auth/consent", *scripts.BRINGS_CODE, query=_WAITING, form=form
        )
    )


def _token(name: str, form: Pairs, *tests: str) -> JsonObject:
    return _plain(name, "POST", "/auth/token", *tests, form=form)


def _plain(
    name: str, method: str, path: str, *tests: str, query: Pairs = (), form: Pairs = ()
) -> JsonObject:
    return with_token("", page(name, method, path, *tests, query=query, form=form))


def _with(name: str, method: str, path: str, *tests: str) -> JsonObject:
    return with_token("patient_token", page(name, method, path, *tests))


def _read(name: str, code: int, *tests: str) -> JsonObject:
    return with_token(
        "patient_token", request(name, "GET", f"/{PATIENT}", status(code), *tests)
    )
