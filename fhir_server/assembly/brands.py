"""The operator's file of user-access brands.

https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html
"""

from fhir_server.assembly.files import AccessFileError, json_of
from fhir_server.core.datetimes import format_instant
from fhir_server.settings import Settings
from fhir_server.smart.brands import BrandError, Brands, read
from fhir_server.smart.discovery import BRANDS


def brands(settings: Settings) -> Brands | None:
    """What the file says; None without one. Its time of change is the Bundle's.

    Raises:
        AccessFileError: it cannot be published.
    """
    path = settings.brands
    if path is None:
        return None
    given = json_of(path)
    changed = path.stat().st_mtime_ns // 1_000_000
    try:
        return read(
            given,
            address=settings.fhir_base,
            base=f"{settings.issuer_url}/auth/{BRANDS}",
            updated=format_instant(changed),
        )
    except BrandError as error:
        raise AccessFileError(f"{path}: {error}") from error
