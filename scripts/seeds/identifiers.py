"""National identifiers with the check digits their rules ask for.

The people are invented; a number of theirs may by chance belong to somebody.
"""

from datetime import date

_ENP_LENGTH = 15
_RNOKPP_WEIGHTS = (-1, 5, 7, 9, 4, 6, 10, 5, 7)
_RNOKPP_EPOCH = date(1899, 12, 31)
_ICAO_WEIGHTS = (7, 3, 1)
_SNILS_MODULUS = 101


def snils(serial: int) -> str:
    """СНИЛС as printed, `ddd-ddd-ddd cc`: sum of digits by weights 9..1, modulo 101."""
    digits = f"{serial:09}"
    total = sum(int(d) * w for d, w in zip(digits, range(9, 0, -1), strict=True))
    check = total % _SNILS_MODULUS % 100
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]} {check:02}"


def enp(serial: int) -> str:
    """Unified number of an ОМС policy, 16 digits: every other digit, as one number, doubled."""
    digits = f"{serial:015}"
    doubled = str(int(digits[::-2]) * 2)
    total = sum(int(d) for d in digits[-2::-2] + doubled)
    return f"{digits}{-total % 10}"


def rnokpp(born: date, serial: int, gender: str) -> str:
    """РНОКПП: days since 1899-12-31, serial with the sex in its last digit (odd is male)."""
    days = (born - _RNOKPP_EPOCH).days
    sex = serial % 5 * 2 + (gender == "male")
    digits = f"{days:05}{serial % 1000:03}{sex}"
    total = sum(int(d) * w for d, w in zip(digits, _RNOKPP_WEIGHTS, strict=True))
    return f"{digits}{total % 11 % 10}"


def unzr(born: date, serial: int) -> str:
    """УНЗР, `YYYYMMDD-NNNNC`; the check digit is that of travel documents (ICAO 9303)."""
    digits = f"{born:%Y%m%d}{serial % 10000:04}"
    total = sum(int(d) * _ICAO_WEIGHTS[n % 3] for n, d in enumerate(digits))
    return f"{digits[:8]}-{digits[8:]}{total % 10}"
