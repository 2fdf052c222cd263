"""Everything an operator can set: the only reader of the environment.

Each field is the environment variable of its name in capitals behind `FHIR_`; a file `.env`
in the working directory is read too. `docs/configuration.md` is made from this page.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from fhir_server.house_rules import HouseRules, Positive

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def _without_slash(url: str | None) -> str | None:
    return url.rstrip("/") if url else None


def _network(text: str) -> str:
    found = ipaddress.ip_network(text, strict=False)  # its ValueError says what is wrong
    if found.prefixlen == 0:
        message = f"{text} is everybody"
        raise ValueError(message)
    return str(found)


Network = Annotated[str, AfterValidator(_network)]


class Settings(HouseRules):
    """One frozen value, made at start and handed down."""

    model_config = SettingsConfigDict(
        env_prefix="FHIR_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",  # `.env` is shared with docker-compose.yml
        frozen=True,
        use_attribute_docstrings=True,
    )

    host: str = "127.0.0.1"
    """Address to listen on. Without access control only a loopback address is accepted."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """Port to listen on; 0 takes a free one."""
    workers: Positive = 1
    """Server processes. One uses one core fully; they share nothing but the database."""
    base_url: Annotated[str | None, AfterValidator(_without_slash)] = None
    """The FHIR base as clients see it, such as `https://example.org/fhir`. References that
    begin with it are this server's own. Unset: made of host and port."""
    tls_cert: Path | None = None
    """Certificate chain (PEM) with which the server itself speaks TLS, 1.2 or newer, and
    nothing else. Unset: plain HTTP, for a proxy before it or this machine alone."""
    tls_key: Path | None = None
    """The private key (PEM) of `FHIR_TLS_CERT`."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    """Addresses or networks of the proxies before this server, joined by commas. From them
    alone the client's address and the scheme are taken, which budgets, lockouts and the audit
    go by; and where the base is https, what came as http is refused or sent on to https."""
    proxy_header: Literal["x-forwarded", "forwarded"] = "x-forwarded"
    """What these proxies set: `X-Forwarded-For` and `X-Forwarded-Proto`, or `Forwarded`. The
    other one is ignored: a client could have written it."""
    hsts_seconds: Annotated[int, Field(ge=0)] = 31_536_000
    """How long browsers are to reach this host by https alone, where the base is https; 0:
    they are not told."""
    insecure_no_auth: bool = False
    """Serve without access control: everybody who reaches the port may do everything."""
    issuer: Annotated[str | None, AfterValidator(_without_slash)] = None
    """The authorization server's own name, an absolute URL; `/auth/…` lies below it. Unset: the
    FHIR base's scheme and host."""
    secret_key: SecretStr | None = None
    """Encrypts secrets that the database has to hold, such as the keys that sign id tokens.
    Any long random text; losing it means new keys. Unset: they are kept as they are."""
    public_directory: Annotated[tuple[str, ...], NoDecode] = ()
    """Types that may be read and searched without a token, joined by commas, such as
    `Organization,Location,PractitionerRole,Practitioner,HealthcareService,Schedule,Slot`. Only
    types of the directory, and nothing that is a patient's. Unset: none."""
    publish_slots: bool = False
    """Let everybody fetch the free places with their schedules and locations, without a token,
    at `[base]/$bulk-publish` (SMART Scheduling Links)."""
    public_rate: Annotated[int, Field(ge=1)] = 50
    """What one network address may ask without a token of a worker in a second, in the units
    of `user_rate`."""
    public_burst: Positive = 500
    """As `user_burst`, for a network address without a token."""
    access_token_seconds: Annotated[int, Field(ge=30, le=3600)] = 600
    """How long an access token is good."""
    backend_token_seconds: Annotated[int, Field(ge=30, le=3600)] = 300
    """The same for backend services (client credentials)."""
    refresh_token_days: Positive = 100
    """How long a refresh token may lie unused; every use begins anew."""
    refresh_grace_seconds: Annotated[int, Field(ge=0, le=60)] = 10
    """For how long a refresh token that was just used is taken once more: tabs of one app
    refresh at the same moment. Later it ends the authorization, since one of two is a thief."""
    signing_key_days: Annotated[int, Field(ge=1)] = 90
    """After how many days id tokens are signed with a new key."""
    app_registration: Literal["open", "token", "closed"] = "closed"
    """Who may register apps over HTTP: anybody with an app for patients, the bearer of
    `FHIR_APP_REGISTRATION_TOKEN`, or nobody. `fhir-server apps add` registers in any case."""
    app_registration_token: SecretStr | None = None
    """The initial access token of registration; with it user and system scopes can be asked,
    which wait for `fhir-server apps approve`."""
    auth_failures_per_minute: Positive = 60
    """Refused requests below `/auth/` that one network address may make in a minute, per
    worker; then it is answered 429."""
    brands: Path | None = None
    """A JSON file that says how apps show this server to people: name, website, logo, portals;
    `docs/smart.md` describes it. Unset: no brands are published."""
    auth_requests_per_minute: Positive = 300
    """Authorization requests that one network address may begin in a minute, per worker; then
    it is answered 429."""
    app_registrations_per_hour: Positive = 20
    """Apps that one network address may register in an hour without a token, per worker, where
    `FHIR_APP_REGISTRATION=open`; then it is answered 429."""
    insecure_loopback_keys: bool = False
    """Development: fetch keys of apps from this machine too, without TLS."""

    registration: Literal["invited", "matched", "closed"] = "invited"
    """Who may register an account: patients whom the clinic invited, whoever matches a record
    by e-mail address, surname, first name and date of birth, or nobody."""
    registration_code_hours: Positive = 24
    """How long the code of a registration or of a new password can be used."""
    password_least: Annotated[int, Field(ge=6, le=64)] = 8
    """Characters that a password needs."""
    password_classes: Annotated[tuple[str, ...], NoDecode] = ()
    """What a password needs besides, joined by commas: upper, lower, digit, sign."""
    password_advised_days: Annotated[int, Field(ge=0)] = 0
    """After how many days people are advised to change their password; 0: never."""
    lockout_tries: Positive = 8
    """Wrong passwords of one address after which it has to wait."""
    lockout_seconds: Positive = 900
    """How long tries are counted, and how long one waits."""
    lockout_network_tries: Positive = 100
    """Tries of one network address in that time, whatever they try."""
    second_step: Literal["optional", "required"] = "optional"
    """Whether every sign-in by password takes a second step: a code of an authenticator app,
    or one sent by e-mail."""
    session_idle_seconds: Positive = 1800
    """Without a sign of life a sign-in is over after this time."""
    session_seconds: Positive = 43_200
    """A sign-in is over after this time in any case."""
    cabinet: Literal["off", "on", "first-party"] = "off"
    """Whether the patient's page answers at `/cabinet/`, an app of this server; `first-party`:
    and patients are asked once and in plain words whether they let it in."""
    identity_providers: Path | None = None
    """A file of identity providers through which people may sign in, such as ЕСИА or
    id.gov.ua; `docs/accounts.md` shows one."""
    smtp_host: str | None = None
    """The mail server that delivers codes and invitations. Unset: they go to `FHIR_MAIL_DIR`,
    or else to the server's own output."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Port of the mail server."""
    smtp_user: str = ""
    """Name to sign in to the mail server with; empty: without."""
    smtp_password: SecretStr | None = None
    """Password to sign in to the mail server with."""
    smtp_encryption: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection to the mail server is protected."""
    mail_from: str = "no-reply@fhir-server.example"
    """Sender of messages."""
    mail_dir: Path | None = None
    """Folder for messages as files, for development."""
    demo: bool = False
    """Make demo accounts, a demo app and a demo service at every start, print the passwords,
    and keep them with the service's key in `demo.postman_environment.json` of the data folder
    until the server stops. On a loopback address only."""
    shutdown_seconds: Positive = 20
    """How long a stopping server waits for the requests it is still answering."""

    mongodb_uri: SecretStr | None = None
    """A MongoDB replica set or sharded cluster, 6.0 or newer. Unset: an embedded one."""
    database: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,38}$")] = "fhir"
    """Name of the database in MongoDB."""
    data_dir: Path = Path(".data")
    """Folder of the embedded database: its files, keys and log."""
    embedded_cache_gb: Annotated[float, Field(ge=0.25)] = 0.5
    """Memory for the embedded database's cache. 0.5 holds the indexes of about 300,000
    Observations."""
    mongodb_timeout_seconds: Positive = 10
    """Ceiling of every single database operation with its retries; beyond it a request is
    answered 504, or 503 where the database could not be reached at all."""
    mongodb_selection_seconds: Positive = 5
    """How long one try of an operation waits for a primary."""
    mongodb_pool: Positive = 64
    """Connections to the database, per worker."""
    max_open_units: Positive = 8
    """MongoDB transactions of Bundles open at once, per worker; more wait their turn."""
    max_open_singles: Positive = 16
    """The same for transactions that write one resource: updates, patches, deletions."""
    seed: bool = True
    """Load `seed_bundles/` into an empty database at start."""
    seed_dir: Path = Path("seed_bundles")
    """Folder of transaction bundles that `seed` loads, in the order of their names."""

    capability_statement: Path = Path("capability_statement.json")
    """What is served: the types, interactions, search parameters and operations that this
    file lists, and no others. Without the file, everything the server can do."""

    profiles: Path = Path("profiles")
    """Folder of StructureDefinitions, ValueSets, CodeSystems and SearchParameters (`*.json`)
    that are known beside R4's own: profiles that resources may claim, codes, searches."""

    required_profiles: Annotated[tuple[str, ...], NoDecode] = ()
    """Canonicals of profiles, joined by commas, that every write of their type is held to,
    whether the resource claims them or not."""
    identifier_check: Literal["error", "warning", "off"] = "error"
    """What a national number whose check digits are wrong is to a write: refused (422), stored
    and only told by `$validate`, or nothing. `docs/profiles.md` lists the systems."""

    max_body: Positive = 64 * 1024 * 1024
    """Bytes of a request's body after decompression; beyond it 413."""
    max_depth: Annotated[int, Field(ge=8, le=500)] = 64
    """Levels of nesting in JSON and XML."""
    max_entries: Positive = 5000
    """Entries of a transaction or batch."""
    max_count: Positive = 1000
    """Rows of a page; a larger `_count` is reduced to it."""
    default_count: Positive = 50
    """Rows of a page when the client names no `_count`."""
    max_included: Positive = 5000
    """Rows that `_include` and `_revinclude` may add to a page."""
    max_conditional_delete: Positive = 100
    """Resources that one conditional delete may remove."""

    full_text: bool = True
    """Index the words of narratives and texts for `_text` and `_content`. Off, these find
    nothing, and a write of an Observation costs about a tenth less."""
    max_search_depth: Positive = 6
    """Links of a chained search parameter, `_has` among them."""
    labels: bool = True
    """Give security labels to what is written (psychiatry, HIV, substance use, …), so that
    Consents and the default can speak of it."""
    label_rules: Path | None = None
    """A JSON file with further rules for labels; docs/consent.md says how it looks."""

    user_rate: Annotated[int, Field(ge=0)] = 3000
    """What one user may ask of a worker in a second, in units of a read; a search is 2, an
    update 6, an operation 10, a Bundle 10 and 3 an entry. Beyond it: 429. 0: no limit."""
    user_burst: Positive = 15_000
    """Units that a user may spend at once after a rest."""
    client_rate: Annotated[int, Field(ge=0)] = 6000
    """As `user_rate`, for all users of one client together."""
    client_burst: Positive = 30_000
    """As `user_burst`, for a client."""
    max_search_parameters: Positive = 100
    """Parameters of one search."""
    max_search_values: Positive = 2000
    """Alternatives (joined by commas) of one search parameter."""
    max_search_comparisons: Positive = 200
    """Alternatives of one parameter that are ranges, prefixes or chains."""
    max_search_length: Positive = 200_000
    """Characters of all names and values of one search together."""
    max_search_sort: Positive = 6
    """Keys of `_sort`."""
    max_search_concepts: Positive = 5000
    """Codes that `:in`, `:not-in`, `:above` and `:below` may stand for."""
    max_filter_nesting: Positive = 32
    """Parentheses of a `_filter`."""
    max_include_rounds: Positive = 8
    """Repetitions of an `:iterate` include."""

    job_lease_seconds: Annotated[float, Field(ge=0.5)] = 15
    """How long a job stays with a worker that is not heard of. Then another takes it up."""
    job_poll_seconds: Annotated[float, Field(ge=0.05)] = 0.5
    """How often a worker looks for jobs (asynchronous requests, `$reindex`)."""
    job_slots: Positive = 2
    """Jobs that a worker carries out at once."""
    job_tries: Positive = 6
    """How often a job is begun that fails for no fault of its own, or kills its worker."""
    job_kept_seconds: Annotated[float, Field(ge=1)] = 86_400
    """How long the answer of an asynchronous request can be fetched."""
    webhooks: Path | None = None
    """A JSON file of endpoints that are told by signed webhooks; docs/notices.md shows one."""
    sms_gateway: Path | None = None
    """A JSON file that says how the gateway of SMS is asked; docs/notices.md shows one. Unset:
    no SMS are sent."""
    outbox_poll_seconds: Annotated[float, Field(ge=0.02)] = 1
    """How often a worker looks for what is to be sent."""
    outbox_slots: Positive = 4
    """Messages that a worker sends at once by one channel."""
    outbox_lease_seconds: Annotated[float, Field(ge=0.5)] = 60
    """How long a message stays with a worker that is not heard of; three quarters of it is how
    long one try may take."""
    outbox_tries: Positive = 16
    """How often a message is tried before it is dead."""
    outbox_pause_seconds: Annotated[float, Field(gt=0)] = 10
    """The pause before the second try; each further one is twice as long, up to an hour."""
    outbox_kept_days: Positive = 30
    """Days for which it is remembered of a message that it was sent, or why it was not; dead
    ones keep their content that long."""
    reindex_batch: Positive = 200
    """Versions that `$reindex` rewrites at once."""
    definitions_seconds: Annotated[float, Field(ge=0.05)] = 1
    """How often a worker looks for SearchParameter, ValueSet and CodeSystem resources that
    were stored or changed."""

    provenance: bool = True
    """Keep a Provenance of each version that an app writes for a person: which person, which
    app. It commits with the version. Without access control there is none."""
    audit: Literal["durable", "relaxed", "off"] = "durable"
    """When an access is in the audit: before it is answered (`durable`), within a second
    after (`relaxed`; a killed process forgets that much), or never (`off`). Without access
    control nothing is audited."""
    audit_days: Annotated[int, Field(ge=0)] = 0
    """Days for which the audit is kept; 0: for ever."""
    audit_seconds: Annotated[float, Field(ge=0.05)] = 1
    """How often a worker makes AuditEvents of what it has noted; who asks for them does not
    wait for that."""
    audit_foreign: bool = False
    """Let clients with system scopes create AuditEvents of their own."""

    explain: bool = False
    """Answer `_explain=true` on a search with its plan and the index used (for operators)."""
    compress: bool = True
    """Compress answers (gzip, br) for clients that accept it."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ("localhost",)
    """Origins of web pages that may call this server, joined by commas; `localhost` is every
    page that this machine serves to itself, on any port; `*` is any page at all; `none` is
    none. Without access control any page that is let in can read what is here."""
    metrics: bool = True
    """Answer `/metrics` in the Prometheus text format."""
    metrics_networks: Annotated[tuple[Network, ...], NoDecode] = ("127.0.0.0/8", "::1/128")
    """Addresses or networks that `/metrics` answers, joined by commas: who asks there has no
    token."""
    metrics_dir: Path | None = None
    """Folder in which several workers keep their figures, so that each answers for all.
    `fhir-server serve` sets it by itself."""
    docs: bool = True
    """Answer `/docs` with the OpenAPI description of this server."""
    log_level: LogLevel = "INFO"
    """Least severity that is logged; every request is a line of INFO."""
    log_format: Literal["json", "text"] = "json"
    """A JSON object a line, or text for people."""

    @field_validator(
        "cors_origins", "password_classes", "trusted_proxies", "public_directory",
        "required_profiles", "metrics_networks", "step_up", "notice_names",
        "notice_silent_clients", mode="before",
    )  # fmt: skip
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            named = tuple(each.strip() for each in value.split(",") if each.strip())
            return () if named == ("none",) else named
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            message = "FHIR_TLS_CERT and FHIR_TLS_KEY belong together"
            raise ValueError(message)
        if self.tls_cert is not None and not self.fhir_base.startswith("https:"):
            message = "with FHIR_TLS_CERT the FHIR_BASE_URL is https"
            raise ValueError(message)
        return self

    @property
    def fhir_base(self) -> str:
        """The FHIR base without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "http" if self.tls_cert is None else "https"
        return self.base_url or f"{scheme}://{host}:{self.port}/fhir"

    @property
    def issuer_url(self) -> str:
        """The issuer without a trailing slash."""
        if self.issuer is not None:
            return self.issuer
        parts = urlsplit(self.fhir_base)
        return f"{parts.scheme}://{parts.netloc}"
