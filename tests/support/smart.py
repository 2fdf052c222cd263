"""The authorization server on a real MongoDB, its clock and its people in the test's hands."""

import base64
import hashlib
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from fhir_server.assembly.authorization import Surroundings, ports
from fhir_server.outward import trust
from fhir_server.rest.oauth.client_keys import ClientKeys
from fhir_server.rest.oauth.key_ring import KeyRing
from fhir_server.rest.oauth.routes import Authorization
from fhir_server.rest.oauth.service import Service
from fhir_server.rest.oauth.verifier import TokenVerifier
from fhir_server.smart import registration
from fhir_server.smart.authorization import Decision, Denied, Parked
from fhir_server.smart.completion import complete
from fhir_server.smart.digests import digest
from fhir_server.smart.events import Event
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Client, Grant, Session, Subject
from fhir_server.smart.standing import Standing
from fhir_server.store.mongo.smart import MongoSmart

ISSUER = "https://ehr.example"
BASE = f"{ISSUER}/fhir"
TOKEN_URL = f"{ISSUER}/auth/token"
CALLBACK = "https://app.example/callback"
VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
START = 1_800_000_000_000
ALL_SCOPES = "openid fhirUser launch/patient offline_access patient/*.rs"

DAY = 86_400

numbers = itertools.count(1)


@dataclass
class Clock:
    """Milliseconds that pass when the test says so."""

    milliseconds: int = START

    def now(self) -> int:
        return self.milliseconds

    def seconds(self) -> float:
        return self.milliseconds / 1000

    def tick(self, seconds: float) -> None:
        self.milliseconds += int(seconds * 1000)


@dataclass
class Pages:
    """Pages that show nothing: the request that was parked comes back as JSON."""

    current: Session | None = None

    async def session(self, request: Request) -> Session | None:
        del request
        return self.current

    async def show(self, request: Request, parked: Parked) -> Response:
        del request
        return JSONResponse({"parked": parked.id})


@dataclass
class People:
    """Who may still do what; `gone` lists accounts that were closed."""

    gone: set[str] = field(default_factory=set)

    async def current(self, grant: Grant) -> Subject | None:
        return None if grant.subject.account in self.gone else grant.subject


class Charts:
    """Whose records there are, and whose encounters."""

    patients = frozenset({"anna", "ben", "carl", "eve"})
    encounters = {"e1": "anna", "e2": "ben"}

    async def has(self, patient: str, encounter: str | None) -> bool:
        theirs = encounter is None or self.encounters.get(encounter) == patient
        return patient in self.patients and theirs


@dataclass
class Told:
    """What the audit was told."""

    events: list[Event] = field(default_factory=list)

    async def tell(self, event: Event) -> None:
        self.events.append(event)


ANNA = Subject("account-anna", "Patient/anna", represented=("anna", "ben"))
DOCTOR = Subject("account-doctor", "Practitioner/who", staff=True, purpose="TREAT")


@dataclass
class Smart:
    """One authorization server, and what the tests do with it."""

    service: Service
    clock: Clock
    pages: Pages
    people: People
    told: Told
    http: httpx.AsyncClient
    verifier: TokenVerifier

    @property
    def ports(self) -> Ports:
        return self.service.ports

    def with_policy(self, **changes: Any) -> "Smart":
        """The same server under another policy."""
        service = replace(self.service, policy=replace(self.service.policy, **changes))
        return replace(self, service=service, http=client_of(service))

    async def client(self, **metadata: Any) -> Client:
        """A registered app; public unless `metadata` say otherwise."""
        given = {
            "client_name": "App",
            "token_endpoint_auth_method": "none",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": f"{ALL_SCOPES} launch launch/encounter online_access user/*.cruds",
            **metadata,
        }
        id_ = f"app-{next(numbers)}"
        client = registration.read(given, registration.OPERATOR, self.service.policy, id_)
        client = replace(client, created=self.clock.now())
        if client.method == "client_secret_basic":
            client = replace(client, secret_digest=digest("s3cret"))
        await self.ports.clients.put(client)
        return client

    async def session(self, account: str = ANNA.account, **changes: Any) -> Session:
        """A fresh sign-in."""
        now = self.clock.now()
        session = Session(
            id=f"session-{next(numbers)}",
            digest=secrets.token_hex(8),
            account=account,
            auth_time=now,
            level=2,
            acr="2",
            amr=("pwd", "otp"),
            last_seen=now,
            idle_ends=now + 1800_000,
            ends=now + 12 * 3600_000,
        )
        session = replace(session, **changes)
        await self.ports.sessions.put(session)
        return session

    async def ask(self, client: Client, **changes: str | None) -> httpx.Response:
        """`GET /auth/authorize`."""
        return await self.http.get("/auth/authorize", params=request_of(client, **changes))

    async def parked(self, client: Client, **changes: str | None) -> Parked:
        """A request that was accepted."""
        response = await self.ask(client, **changes)
        assert response.status_code == 200, (response.status_code, response.headers)
        found = await self.ports.parked.find(response.json()["parked"])
        assert found is not None
        return found

    async def decision(self, subject: Subject = ANNA, **changes: Any) -> Decision:
        session = await self.session(subject.account)
        patient = subject.represented[0] if subject.represented else None
        return replace(Decision(subject, session, patient), **changes)

    async def answer(
        self, parked: Parked, decision: Decision | Denied | None = None
    ) -> dict[str, str]:
        """What the redirect to the app says."""
        given = await self.decision() if decision is None else decision
        return said(await complete(self.ports, self.service.policy, parked, given))

    async def code(self, client: Client, **changes: str | None) -> str:
        """An authorization code of Anna's."""
        return (await self.answer(await self.parked(client, **changes)))["code"]

    async def post(self, path: str, form: Mapping[str, str], **more: Any) -> httpx.Response:
        return await self.http.post(f"/auth/{path}", data=dict(form), **more)

    async def redeem(
        self, client: Client, code: str | None, auth: Any = None, **changes: str | None
    ) -> httpx.Response:
        """`POST /auth/token` with the code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "client_id": client.id,
            **changes,
        }
        return await self.post("token", filled(form), auth=auth)

    async def tokens(self, client: Client, **changes: str | None) -> dict[str, Any]:
        """The token response of a whole flow of Anna's."""
        response = await self.redeem(client, await self.code(client, **changes))
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def refresh(
        self, client: Client | None, token: str, auth: Any = None, **changes: str
    ) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, **changes}
        if client is not None:
            form["client_id"] = client.id
        return await self.post("token", form, auth=auth)

    async def backend(
        self, client: Client, key: RSAKey | ECKey, **changes: Any
    ) -> httpx.Response:
        """`client_credentials` with an assertion."""
        form = {
            "grant_type": "client_credentials",
            "scope": "system/*.rs",
            **self.assertion(client, key),
            **changes,
        }
        return await self.post("token", filled(form))

    def assertion(
        self, client: Client, key: RSAKey | ECKey, header: Any = None, **claims: Any
    ) -> dict[str, str]:
        """The two parameters of a client assertion; a claim of None is left out."""
        now = self.clock.now() // 1000
        said = {
            "iss": client.id,
            "sub": client.id,
            "aud": TOKEN_URL,
            "exp": now + 300,
            "jti": secrets.token_hex(8),
            **claims,
        }
        alg = "RS384" if isinstance(key, RSAKey) else "ES384"
        head = {"alg": alg, "kid": key.kid, "typ": "JWT", **(header or {})}
        signed = jwt.encode(
            {name: each for name, each in head.items() if each is not None},
            {name: each for name, each in said.items() if each is not None},
            key,
            algorithms=[str(head["alg"])],
        )
        return {"client_assertion_type": JWT_BEARER, "client_assertion": signed}

    async def grant(self, client: Client) -> Grant:
        """The one that the client was given last."""
        grants = await self.ports.grants.of_account(ANNA.account)
        return next(
            each for each in grants if each.client == client.id and each.revoked is None
        )

    async def works(self, token: str) -> bool:
        """Whether the FHIR endpoint would take this access token, on a worker that is new."""
        fresh = TokenVerifier(self.ports.access_tokens, self.clock.now, self.clock.seconds)
        return await fresh.verify(token) is not None


def request_of(client: Client, **changes: str | None) -> dict[str, str]:
    """The parameters of an authorization request; None leaves one out."""
    return filled(
        {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": CALLBACK,
            "scope": ALL_SCOPES,
            "state": "xyz",
            "aud": BASE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
    )


def filled(form: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in form.items() if value is not None}


def said(location: str) -> dict[str, str]:
    """The parameters of a redirect, each once."""
    found = parse_qs(urlsplit(location).query, keep_blank_values=True, strict_parsing=True)
    assert all(len(each) == 1 for each in found.values()), location
    return {name: each[0] for name, each in found.items()}


def public_jwks(*keys: RSAKey | ECKey) -> dict[str, Any]:
    return {"keys": [{**each.as_dict(private=False), "kid": each.kid} for each in keys]}


def client_of(service: Service) -> httpx.AsyncClient:
    """A client of the endpoints; nothing listens."""
    app = Authorization(PlainTextResponse("other", 404), service, "/fhir")
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=ISSUER, follow_redirects=False
    )


def smart_server(
    state: MongoSmart,
    fetch: httpx.AsyncClient,
    signing_key: Mapping[str, Any],
    clock: Clock | None = None,
    people: People | None = None,
) -> Smart:
    """A server on `state`; `fetch` gets the key sets of clients."""
    clock = clock or Clock()
    pages, people, told = Pages(), people or People(), Told()

    async def make() -> Mapping[str, Any]:
        return signing_key

    ring = KeyRing(state.keys, clock.now, lasts=90 * DAY * 1000, make=make)
    key_sets = ClientKeys(fetch, clock.seconds, resolve=public_address)
    given = _surroundings(pages, clock, people, told)
    built = ports(state, given, key_sets, ring)
    policy = Policy(ISSUER, BASE, style_url=f"{ISSUER}/auth/style/1.json")
    service = Service(built, policy, ring, pages, style={"color_background": "#ffffff"})
    verifier = TokenVerifier(state.access_tokens, clock.now, clock.seconds)
    return Smart(service, clock, pages, people, told, client_of(service), verifier)


def _surroundings(pages: Pages, clock: Clock, people: People, told: Told) -> Surroundings:
    return Surroundings(pages, Charts(), clock.now, lambda: f"id-{next(numbers)}", people, told)


def standing(state: MongoSmart, clock: Clock, people: People) -> Standing:
    """What stands of tokens given on `state`, for the jobs of a FHIR server beside it."""
    ring = KeyRing(state.keys, clock.now, lasts=DAY)
    key_sets = ClientKeys(
        httpx.AsyncClient(verify=trust(environment=False), trust_env=False), clock.seconds
    )
    return Standing(ports(state, _surroundings(Pages(), clock, people, Told()), key_sets, ring))


async def public_address(host: str, port: int) -> list[str]:
    """What a name server would say."""
    del port
    return ["10.0.0.1"] if host == "internal.example" else ["203.0.114.9"]
