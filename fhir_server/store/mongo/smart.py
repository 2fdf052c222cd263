"""The state of the authorization server in MongoDB: the adapters of `smart.ports`, together."""

from fhir_server.smart.records import AccessToken, RefreshToken
from fhir_server.store.mongo.app_state import MongoAppStates
from fhir_server.store.mongo.indexes import Database
from fhir_server.store.mongo.kept import Kept
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart_clients import (
    MongoAssertions,
    MongoClients,
    MongoLaunches,
    MongoParkedRequests,
    MongoSessions,
)
from fhir_server.store.mongo.smart_grants import (
    MongoAccessTokens,
    MongoCodes,
    MongoGrants,
    MongoRefreshTokens,
)
from fhir_server.store.mongo.smart_keys import MongoSigningKeys


class MongoSmart:
    """One adapter a port, over one database."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._access = Kept(database, "smart_access_tokens", AccessToken, "digest")
        self._refresh = Kept(database, "smart_refresh_tokens", RefreshToken, "digest")
        self.clients = MongoClients(database)
        self.grants = MongoGrants(database, self._access, self._refresh)
        self.codes = MongoCodes(database)
        self.refresh_tokens = MongoRefreshTokens(self._refresh)
        self.access_tokens = MongoAccessTokens(self._access)
        self.parked = MongoParkedRequests(database)
        self.launches = MongoLaunches(database)
        self.sessions = MongoSessions(database)
        self.assertions = MongoAssertions(database)
        self.states = MongoAppStates(database)
        self.keys = MongoSigningKeys(database, seal)

    async def prepare(self) -> None:
        """Make the collections and their indexes."""
        for tokens in (self._access, self._refresh):
            await tokens.prepare({"grant": 1}, {"client": 1})
        for each in (
            self.clients,
            self.grants,
            self.codes,
            self.parked,
            self.launches,
            self.sessions,
            self.assertions,
        ):
            await each.prepare()
