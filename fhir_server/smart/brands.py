"""User-access brands: how an app shows people whose record they can reach here.

The operator describes the brands; the one endpoint is this server's own. The first brand is the
primary one, which the discovery document names.

https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from fhir_server.core.types import JsonObject

CATEGORIES: Final = "http://hl7.org/fhir/smart-app-launch/CodeSystem/user-access-category"
BRAND: Final = "http://hl7.org/fhir/StructureDefinition/organization-brand"
PORTAL: Final = "http://hl7.org/fhir/StructureDefinition/organization-portal"
FHIR_VERSION: Final = "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version"
ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
CONNECTIONS: Final = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
PAYLOADS: Final = "http://terminology.hl7.org/CodeSystem/endpoint-payload-type"
URIS: Final = "urn:ietf:rfc:3986"
ENDPOINT: Final = "Endpoint/fhir-r4"

NOT_TOLD: Final = ("asked-declined", "asked-unknown")
"""What may stand for a website; "SHALL NOT use Data Absent Reasons other than" these."""

Words = Annotated[str, Meta(min_length=1, max_length=2000)]
Https = Annotated[str, Meta(pattern=r"^https://[^\s/]\S*$", max_length=2000)]
Website = Annotated[
    str, Meta(pattern=r"^(https://[^\s/]\S*|asked-declined|asked-unknown)$", max_length=2000)
]
Picture = Annotated[str, Meta(pattern=r"^(https://[^\s/]|data:image/)\S*$")]
Category = Literal[
    "clinical", "insurance", "laboratory", "imaging", "pharmacy", "network", "aggregator"
]


class BrandError(Exception):
    """The operator's description cannot be published; the text says why."""


class Identifier(Struct, frozen=True, forbid_unknown_fields=True):
    """A FHIR Identifier."""

    value: Words
    system: Words = URIS


class Address(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The parts of a FHIR Address that a card shows."""

    line: tuple[Words, ...] = ()
    city: Words | None = None
    state: Words | None = None
    postal_code: Words | None = None
    country: Words | None = None


class Portal(Struct, frozen=True, forbid_unknown_fields=True):
    """Where people manage their account."""

    name: Words | None = None
    description: Words | None = None
    url: Https | None = None
    logo: Picture | None = None
    logo_license: Https | None = None


class Brand(Struct, frozen=True, forbid_unknown_fields=True):
    """One card."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
    name: Words
    website: Website
    identifiers: tuple[Identifier, ...] = ()
    """The first names the brand; without any it is the website's origin."""
    aliases: tuple[Words, ...] = ()
    logo: Picture | None = None
    logo_license: Https | None = None
    categories: tuple[Category, ...] = ()
    addresses: tuple[Address, ...] = ()
    portals: tuple[Portal, ...] = ()
    part_of: str | None = None
    """Id of the brand whose portals give access to this one's records."""


class Described(Struct, frozen=True, forbid_unknown_fields=True):
    """The operator's file."""

    developers: Https
    """The page where developers of apps learn how to connect."""
    brands: Annotated[tuple[Brand, ...], Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class Brands:
    """What is published."""

    bundle: JsonObject
    identifier: Mapping[str, str]
    """Of the primary brand."""
    etag: str
    """Changes with the content; weak."""


def read(given: object, *, address: str, base: str, updated: str) -> Brands:
    """The brands of the file `given` (JSON).

    `address` is the FHIR base, `base` that of full URLs, `updated` the instant of the last
    change.

    Raises:
        BrandError: the file is not as described, or breaks a rule of the specification.
    """
    try:
        described = msgspec.convert(given, Described)
    except msgspec.ValidationError as error:
        raise BrandError(str(error)) from error
    _check(described.brands)
    resources = [
        *(_organization(each) for each in described.brands),
        _endpoint(described, address),
    ]
    primary = _identifiers(described.brands[0])[0]
    entry = [
        {"fullUrl": f"{base}/{each['resourceType']}/{each['id']}", "resource": each}
        for each in resources
    ]
    digest = blake2b(msgspec.json.encode(entry), digest_size=8).hexdigest()
    return Brands(
        {
            "resourceType": "Bundle",
            "id": "brands",
            "meta": {"lastUpdated": updated},
            "type": "collection",
            "timestamp": updated,
            "entry": entry,
        },
        primary,
        f'W/"{digest}"',
    )


def _check(brands: Sequence[Brand]) -> None:
    by_id = {each.id: each for each in brands}
    if len(by_id) < len(brands):
        raise BrandError("two brands have the same id")
    named = [_named(each) for brand in brands for each in _identifiers(brand)]
    if named.count(_named(_identifiers(brands[0])[0])) > 1:
        raise BrandError("the first brand's first identifier is another brand's too")
    if brands[0].part_of is not None:
        raise BrandError("the first brand cannot be part of another")
    for each in brands:
        _check_parent(each, by_id)


def _check_parent(brand: Brand, by_id: Mapping[str, Brand]) -> None:
    """Raise BrandError where links go deeper than from a brand to the one with the portals."""
    if brand.part_of is None:
        return
    parent = by_id.get(brand.part_of)
    if parent is None or parent.part_of is not None:
        raise BrandError(f"{brand.id}: part_of has to name a brand that is part of no other")


def _named(identifier: Mapping[str, str]) -> tuple[str, str]:
    return identifier["system"], identifier["value"]


def _identifiers(brand: Brand) -> list[dict[str, str]]:
    if brand.identifiers:
        return [{"system": each.system, "value": each.value} for each in brand.identifiers]
    if brand.website in NOT_TOLD:
        raise BrandError(f"{brand.id}: without a website it needs identifiers")
    host = (urlsplit(brand.website).hostname or "").removeprefix("www.")
    return [{"system": URIS, "value": f"https://{host}"}]


def _organization(brand: Brand) -> JsonObject:
    type_ = [{"coding": [{"system": CATEGORIES, "code": each}]} for each in brand.categories]
    parent = brand.part_of and {"reference": f"Organization/{brand.part_of}"}
    reached = brand.part_of is None or brand.portals
    found: JsonObject = {
        "resourceType": "Organization",
        "id": brand.id,
        "extension": [*_branding(brand), *map(_portal, brand.portals)],
        "identifier": _identifiers(brand),
        "active": True,
        "type": type_,
        "name": brand.name,
        "alias": list(brand.aliases),
        "telecom": [_website(brand.website)],
        "address": [_address(each) for each in brand.addresses],
        "partOf": parent,
        "endpoint": [{"reference": ENDPOINT}] if reached else [],
    }
    return {name: value for name, value in found.items() if value not in (None, [])}


def _website(given: str) -> JsonObject:
    if given not in NOT_TOLD:
        return {"system": "url", "value": given}
    absent = {"url": ABSENT, "valueCode": given}
    return {"system": "url", "_value": {"extension": [absent]}}


def _address(given: Address) -> JsonObject:
    found: JsonObject = msgspec.to_builtins(given)
    return {name: value for name, value in found.items() if value}


def _branding(brand: Brand) -> Iterator[JsonObject]:
    parts = [*_parts(("brandLogo", "valueUrl", brand.logo))]
    parts += _parts(("brandLogoLicense", "valueUrl", brand.logo_license))
    if parts:
        yield {"url": BRAND, "extension": parts}


def _portal(portal: Portal) -> JsonObject:
    rows = (
        ("portalName", "valueString", portal.name),
        ("portalDescription", "valueMarkdown", portal.description),
        ("portalUrl", "valueUrl", portal.url),
        ("portalLogo", "valueUrl", portal.logo),
        ("portalLogoLicense", "valueUrl", portal.logo_license),
    )
    endpoint = {"url": "portalEndpoint", "valueReference": {"reference": ENDPOINT}}
    return {"url": PORTAL, "extension": [*_parts(*rows), endpoint]}


def _parts(*rows: tuple[str, str, str | None]) -> Iterator[JsonObject]:
    for url, name, value in rows:
        if value is not None:
            yield {"url": url, name: value}


def _endpoint(described: Described, address: str) -> JsonObject:
    return {
        "resourceType": "Endpoint",
        "id": ENDPOINT.partition("/")[2],
        "extension": [{"url": FHIR_VERSION, "valueCode": "4.0.1"}],
        "status": "active",
        "connectionType": {"system": CONNECTIONS, "code": "hl7-fhir-rest"},
        "name": f"FHIR R4: {described.brands[0].name}",
        "contact": [{"system": "url", "value": described.developers}],
        "payloadType": [{"coding": [{"system": PAYLOADS, "code": "none"}]}],
        "address": address,
    }
