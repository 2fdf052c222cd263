"""Passwords hashed by argon2id, in a few threads of their own.

A hash costs 19 MB and some twenty milliseconds, so their number at once is bounded: a flood of
sign-ins waits for its turn and does not take the memory or the processor from those who read.
Of an account that does not exist a hash is checked all the same: it takes the same time.

https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fhir_server.cabinet.accounts.passwords import LONGEST, normal

THREADS: Final = 2
MEMORY_KIB: Final = 19 * 1024
ROUNDS: Final = 2
WAITING: Final = 64
"""Passwords that may wait for a thread; more are turned away."""

_SALT: Final = "A" * 22
_DIGEST: Final = "A" * 43
"""What no password gives: to check one against them costs what checking any hash does."""


class BusyError(Exception):
    """Too many passwords wait to be checked."""


class Hasher:
    """Makes and checks hashes off the event loop."""

    def __init__(
        self, *, rounds: int = ROUNDS, memory_kib: int = MEMORY_KIB, threads: int = THREADS
    ) -> None:
        self._argon2 = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._waiting = 0
        self._nobody = f"$argon2id$v=19$m={memory_kib},t={rounds},p=1${_SALT}${_DIGEST}"

    async def hash(self, password: str) -> str:
        """What is kept of a password.

        Raises:
            BusyError: too many are waiting.
        """
        return await self._run(self._argon2.hash, normal(password))

    async def verify(self, kept: str, password: str) -> bool:
        """Whether `kept` came of `password`; with nothing kept, no, after the same time.

        Raises:
            BusyError: too many are waiting.
        """
        right = await self._run(self._check, kept or self._nobody, normal(password)[:LONGEST])
        return bool(kept) and bool(right) and len(password) <= LONGEST

    def is_outdated(self, kept: str) -> bool:
        """Whether a new hash would be stronger."""
        return self._argon2.check_needs_rehash(kept)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _check(self, kept: str, password: str) -> str:
        try:
            return "right" if self._argon2.verify(kept, password) else ""
        except (VerificationError, InvalidHashError):
            return ""

    async def _run(self, work: Callable[..., str], *args: str) -> str:
        if self._waiting >= WAITING:
            raise BusyError
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, work, *args)
        finally:
            self._waiting -= 1
