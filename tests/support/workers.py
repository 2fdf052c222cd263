"""Some workers of one server over one database, asked as one or another."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import httpx

from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.settings import Settings
from tests.support.fhir import JsonObject
from tests.support.running import Running
from tests.support.worlds import ROOT, Tokens


@dataclass(frozen=True)
class Workers:
    """Each has its own process's memory: what one has seen the others learn of the store."""

    https: tuple[httpx.Client, ...]
    tokens: Tokens

    def ask(
        self, principal: Principal, method: str, path: str, body: object = None, worker: int = 0
    ) -> httpx.Response:
        """One request to one worker."""
        known = replace(principal, token=principal.token or uuid4().hex)
        headers = {"Authorization": f"Bearer {self.tokens.give(known)}"}
        return self.https[worker].request(method, path, json=body, headers=headers)

    def statuses(self, principal: Principal, path: str) -> set[int]:
        """What every worker answers to a GET."""
        asked = range(len(self.https))
        return {self.ask(principal, "GET", path, worker=each).status_code for each in asked}

    def put(self, *resources: JsonObject) -> None:
        """By somebody who may do everything."""
        for each in resources:
            path = f"/{each['resourceType']}/{each['id']}"
            answer = self.ask(ROOT, "PUT", path, each)
            assert answer.is_success, answer.text


@contextmanager
def workers(uri: str, policy: AccessPolicy, count: int = 1) -> Iterator[Workers]:
    """They answer while the context lasts."""
    tokens = Tokens(policy)
    settings = Settings.model_validate(
        {
            "mongodb_uri": uri,
            "database": f"workers_{uuid4().hex[:12]}",
            "seed": False,
            "log_level": "WARNING",
            "base_url": "http://test/fhir",
        }
    )
    with ExitStack() as stack:
        running = [stack.enter_context(Running(settings, tokens.gate)) for _ in range(count)]
        clients = (httpx.Client(base_url=each.base_url, timeout=60) for each in running)
        yield Workers(tuple(stack.enter_context(each) for each in clients), tokens)
