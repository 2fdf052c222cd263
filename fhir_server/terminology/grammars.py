"""Code systems that are a grammar, not a list: a rule says which codes they have.

https://hl7.org/fhir/R4/terminologies-systems.html
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from fhir_server.core.quantities import canonical

UCUM: Final = "http://unitsofmeasure.org"
_ONE: Final = Decimal(1)

_LANGUAGE: Final = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})"  # language, extlang
    r"(?:-[a-z]{4})?"  # script
    r"(?:-(?:[a-z]{2}|[0-9]{3}))?"  # region
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"  # variants
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"  # private use
    r"|x(?:-[a-z0-9]{1,8})+",
    re.IGNORECASE,
)

_TOKEN: Final = r"[A-Za-z0-9!#$&^_.+*'`|~%-]{1,127}"  # noqa: S105  # RFC 9110's `token`
_MIME: Final = re.compile(
    rf"{_TOKEN}/{_TOKEN}(?:\s*;\s*{_TOKEN}=(?:{_TOKEN}|\"[^\"]*\"))*\s*;?"
)

_SHORT_MIME: Final = frozenset({"xml", "json", "ttl"})
"""What `_format` may say for a type, as `CapabilityStatement.format` of HL7's own files does.
https://hl7.org/fhir/R4/http.html#mime-type
"""

_TIMEZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}")

CURRENCIES: Final = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD
    BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP
    DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR
    ILS IMP INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR
    LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK
    NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
    SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TVD TWD TZS UAH UGX USD
    USN UYI UYU UZS VED VEF VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XDR XOF XPD XPF
    XPT XSU XTS XUA XXX YER ZAR ZMW ZWL
    """.split()  # noqa: SIM905  # a table of codes reads best as words
)
"""ISO 4217, with the three that https://hl7.org/fhir/R4/valueset-currencies.html adds."""

_COUNTRY: Final = re.compile(r"[A-Z]{2,3}|[0-9]{3}")


def _whole(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda code: pattern.fullmatch(code) is not None


def _is_mime(code: str) -> bool:
    return code in _SHORT_MIME or _MIME.fullmatch(code) is not None


def _is_unit(code: str) -> bool:
    return canonical(_ONE, code) is not None


GRAMMARS: Final[Mapping[str, Callable[[str], bool]]] = {
    "urn:ietf:bcp:47": _whole(_LANGUAGE),
    "urn:ietf:bcp:13": _is_mime,
    UCUM: _is_unit,
    "urn:iso:std:iso:4217": CURRENCIES.__contains__,
    "urn:iso:std:iso:3166": _whole(_COUNTRY),
    "https://www.iana.org/time-zones": _whole(_TIMEZONE),
}
"""System -> whether a code is of it. Necessary conditions: the registers of languages,
countries and time zones are not consulted."""

VALUE_SETS: Final[Mapping[str, str]] = {
    "http://www.rfc-editor.org/bcp/bcp13.txt": "urn:ietf:bcp:13"
}
"""Value sets that are named by a document: each stands for one whole system."""
