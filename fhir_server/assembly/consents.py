"""What the operator decided about consents, proxies and labels, read from settings and files.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fhir_server.access import label_rules
from fhir_server.access.codings import Coding
from fhir_server.access.decisions import Policy
from fhir_server.access.labels import labelled
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.proxies import GUARDIANS, ProxyRules
from fhir_server.access.required import Required
from fhir_server.access.visibility import VisitRules
from fhir_server.assembly.files import AccessFileError, json_of
from fhir_server.core.errors import FhirError
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Label
from fhir_server.settings import Settings


def access_policy(settings: Settings) -> AccessPolicy:
    """The operator's decisions.

    Raises:
        AccessFileError: the file of required consents cannot be read.
    """
    guardians = GUARDIANS if settings.proxy_guardians else frozenset()
    return AccessPolicy(
        Policy(
            settings.consent_default, settings.consent_unlabelled, settings.break_glass_opens
        ),
        systems=settings.consent_systems,
        required=_required(settings.required_consents),
        proxies=ProxyRules(
            settings.proxy_child_age, settings.proxy_view_age, guardians=guardians
        ),
        visits=VisitRules(
            by_channel=settings.booking_visibility == "by-channel",
            level=settings.booking_visibility_level,
        ),
        zone=ZoneInfo(settings.time_zone),
    )


def label(settings: Settings) -> Label | None:
    """Gives labels on write; None where the settings say so.

    Raises:
        AccessFileError: the operator's rules cannot be followed.
    """
    if settings.insecure_no_auth or not settings.labels:
        return None
    rules = label_rules.STANDARD
    if settings.label_rules is not None:
        try:
            own = label_rules.read_rules(json_of(settings.label_rules))
        except FhirError as error:
            raise AccessFileError(f"{settings.label_rules}: {error}") from error
        rules = label_rules.together(rules, own)

    def given(
        resource: JsonObject, before: JsonObject | None, *, may_lower: bool
    ) -> JsonObject:
        return labelled(resource, rules, before=before, may_lower=may_lower)

    return given


def _required(path: Path | None) -> tuple[Required, ...]:
    if path is None:
        return ()
    try:
        return tuple(_read(each) for each in json_of(path))
    except (KeyError, TypeError) as error:
        raise AccessFileError(
            f"{path}: each row needs `categories` (system and code), `title` and `where` "
            f"(en, ru, uk): {error!r}"
        ) from error


def _read(row: Mapping[str, Any]) -> Required:
    categories = tuple(Coding(each["system"], each["code"]) for each in row["categories"])
    title, where = (Text(*(row[name][x] for x in ("en", "ru", "uk"))) for name in _TEXTS)
    named = (str(row.get(name, "")) for name in ("questionnaire", "policy"))
    return Required(categories, title, where, *named)


_TEXTS = ("title", "where")
