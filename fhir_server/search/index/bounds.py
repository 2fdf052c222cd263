"""Lists of index keys made fit for an index: no duplicates, no key too long."""

from collections.abc import Iterable

from fhir_server.search.keys import MAX_KEY, bounded


def bounded_keys(found: Iterable[str]) -> list[str]:
    """`found` without duplicates, each key within MAX_KEY and encodable."""
    unique = list(dict.fromkeys(found))
    if unique and (len(max(unique, key=len)) > MAX_KEY or not _is_encodable(unique)):
        return list(dict.fromkeys(bounded(_encodable(key)) for key in unique))
    return unique


def _is_encodable(found: list[str]) -> bool:
    """Whether no key holds half of a surrogate pair; the wire refuses those in resources."""
    joined = "".join(found)
    if joined.isascii():
        return True
    try:
        joined.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encodable(key: str) -> str:
    return key.encode("utf-8", "replace").decode()
