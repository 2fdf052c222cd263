"""`smart.ports` on MongoDB: grants, and the codes and tokens that come of them.

A grant is revoked first and its tokens are removed then; who issues tokens does it in the
opposite order (`smart.tokens`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import UpdateOne

from fhir_server.smart.records import AccessToken, Code, Grant, RefreshToken
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.kept import UNTIL, Kept, moment

_DAY: Final = 86_400_000

_REMEMBERED: Final = 90 * _DAY
"""How long a grant that is over can still be shown to the person who gave it."""
_DORMANT: Final = 500 * _DAY
"""A grant without an end that nobody used for so long is forgotten."""
_REPLAYS: Final = _DAY
"""How long the second use of a code is told from one that never was."""
_USED: Final = 14 * _DAY
"""The same of a refresh token that was replaced; afterwards it is merely unknown."""


class MongoGrants:
    """`ports.Grants`."""

    def __init__(
        self, database: Database, access: Kept[AccessToken], refresh: Kept[RefreshToken]
    ) -> None:
        self._kept = Kept(database, "smart_grants", Grant, "id")
        self._access = access
        self._refresh = refresh

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare(
            {"subject.account": 1}, {"context.patient": 1}, {"session": 1}, {"client": 1}
        )

    async def put(self, grant: Grant) -> None:
        ends = grant.created + _DORMANT if grant.expires is None else grant.expires
        await self._kept.put(grant, ends + _REMEMBERED)

    async def find(self, id_: str) -> Grant | None:
        return await self._kept.find(id_)

    async def of_account(self, account: str) -> Sequence[Grant]:
        return await self._kept.many({"subject.account": account}, {"created": -1})

    async def of_patient(self, patient: str) -> Sequence[Grant]:
        return await self._kept.many({"context.patient": patient}, {"created": -1})

    async def of_session(self, session: str) -> Sequence[Grant]:
        return await self._kept.many({"session": session}, {"created": -1})

    async def touch(self, id_: str, now: int) -> bool:
        live = {"_id": id_, "revoked": None}
        if await self._kept.change(live, {"last_used": now}) == 0:
            return False
        endless = {"_id": id_, "expires": None, "revoked": None}
        await self._kept.change(endless, {UNTIL: moment(now + _DORMANT)})
        return True

    async def read(self, times: Mapping[str, int]) -> None:
        later = [
            UpdateOne({"_id": grant}, {"$max": {"last_read": at}})
            for grant, at in times.items()
        ]
        if later:
            with answered():
                await self._kept.table.bulk_write(later, ordered=False)

    async def revoke(self, id_: str, now: int, reason: str) -> bool:
        return await self._revoke({"_id": id_}, {"grant": id_}, now, reason)

    async def revoke_client(self, client: str, now: int, reason: str) -> None:
        await self._revoke({"client": client}, {"client": client}, now, reason)

    async def _revoke(
        self, grants: Mapping[str, Any], tokens: Mapping[str, Any], now: int, reason: str
    ) -> bool:
        over = {"revoked": now, "revoked_for": reason, UNTIL: moment(now + _REMEMBERED)}
        found = await self._kept.change({**grants, "revoked": None}, over)
        await self._access.remove(tokens)
        await self._refresh.remove(tokens)
        return found > 0


class MongoCodes:
    """`ports.Codes`."""

    def __init__(self, database: Database) -> None:
        self._kept = Kept(database, "smart_codes", Code, "digest")

    async def prepare(self) -> None:
        """Make the indexes."""
        await self._kept.prepare()

    async def put(self, code: Code) -> None:
        await self._kept.put(code, code.expires + _REPLAYS)

    async def use(self, digest: str, now: int) -> tuple[Code, bool] | None:
        code = await self._kept.use(digest, now)
        if code is not None:
            return code, True
        code = await self._kept.find(digest)
        return None if code is None else (code, False)

    async def issued(self, digest: str) -> None:
        await self._kept.change({"_id": digest}, {"issued": True})


class MongoRefreshTokens:
    """`ports.RefreshTokens`."""

    def __init__(self, kept: Kept[RefreshToken]) -> None:
        self._kept = kept

    async def put(self, token: RefreshToken) -> None:
        await self._kept.put(token, token.expires)

    async def find(self, digest: str) -> RefreshToken | None:
        return await self._kept.find(digest)

    async def use(self, digest: str, now: int) -> bool:
        found = await self._kept.use(digest, now, {UNTIL: moment(now + _USED)})
        return found is not None


class MongoAccessTokens:
    """`ports.AccessTokens`."""

    def __init__(self, kept: Kept[AccessToken]) -> None:
        self._kept = kept

    async def put(self, token: AccessToken) -> None:
        await self._kept.put(token, token.expires)

    async def find(self, digest: str) -> AccessToken | None:
        return await self._kept.find(digest)

    async def remove(self, digest: str) -> None:
        await self._kept.remove({"_id": digest})
