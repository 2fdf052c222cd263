"""One write in a unit of its own, as an interaction would make it."""

from typing import Any

from fhir_server.search.plan import UNRESTRICTED
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Stored, Unit, Version
from tests.support.versions import version


async def inserted(store: MongoStore, *versions: Version) -> None:
    """Write `versions` in one unit."""
    kinds = [each.type for each in versions]
    await store.run(kinds, lambda unit: unit.insert(versions))


async def updated(store: MongoStore, id_: str, *, kind: str = "Patient", **more: Any) -> None:
    """Replace the live version by the next, with the values and `at` given."""

    async def work(unit: Unit) -> None:
        old = await unit.read(kind, id_, within=UNRESTRICTED)
        assert old is not None
        new = version(id_, old.number + 1, kind=kind, method="PUT", **more)
        await unit.replace(old, new)

    await store.run([kind], work)


async def removed(store: MongoStore, id_: str, *, at: int, kind: str = "Patient") -> Stored:
    """Delete the live version."""

    async def work(unit: Unit) -> Stored:
        old = await unit.read(kind, id_, within=UNRESTRICTED)
        assert old is not None
        return await unit.remove(old, at=at)

    return await store.run([kind], work)
