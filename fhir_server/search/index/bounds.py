"""Lists of index keys made fit for an index: no duplicates, no key too long."""

from collections.abc import Iterable

from fhir_server.search.keys import MAX_KEY, bounded


def bounded_keys(found: Iterable[str]) -> list[str]:
    """`found` without duplicates, each key within MAX_KEY and encodable."""
    unique = list(dict.fromkeys(found))
    joined = "".join(unique)
    if joined.isascii() and (len(joined) <= MAX_KEY or _longest(unique) <= MAX_KEY):
        return unique
    if _is_encodable(joined) and _longest(unique) <= MAX_KEY:
        return unique
    return list(dict.fromkeys(bounded(_encodable(key)) for key in unique))


def _longest(keys: list[str]) -> int:
    return max(map(len, keys))


def _is_encodable(text: str) -> bool:
    """Whether no half of a surrogate pair is in it; the wire refuses those in resources."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encodable(key: str) -> str:
    return key.encode("utf-8", "replace").decode()
