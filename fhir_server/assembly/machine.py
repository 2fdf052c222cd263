"""What only the machine can say: the time, and numbers that nobody can guess."""

import os
import time


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A UUID of version 7: ids of one time lie together, in an index and in a page.

    https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
    """
    value = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))
    value[6] = value[6] & 0x0F | 0x70
    value[8] = value[8] & 0x3F | 0x80
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
