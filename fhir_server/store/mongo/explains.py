"""How MongoDB answers a search: its plan, the index by name.

https://www.mongodb.com/docs/manual/reference/explain-results/
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_server.search.plan import Restriction, Search
from fhir_server.store.mongo import sorts
from fhir_server.store.mongo.client import answered
from fhir_server.store.mongo.documents import Document
from fhir_server.store.mongo.resources import Reader, computed_stages
from fhir_server.store.mongo.translate import Filter


async def explain(reader: Reader, plan: Search, within: Restriction) -> Mapping[str, Any]:
    """`port.ResourceStore.explain`, with what the execution of the plan examined."""
    with answered():
        where = await reader.filter(plan.type, plan.where, within, also=within.of(plan.type))
        command = _command(plan, where)
        said = await reader.tables.database.command(
            "explain", command, verbosity="executionStats"
        )
    stages = list(_stages(_executed(said)))
    return {
        "filter": where,
        "stages": [stage["stage"] for stage in stages],
        "indexes": sorted({stage["indexName"] for stage in stages if "indexName" in stage}),
        "keysExamined": sum(stage.get("keysExamined", 0) for stage in stages),
        "docsExamined": sum(stage.get("docsExamined", 0) for stage in stages),
    }


def _command(plan: Search, where: Filter) -> Document:
    field = sorts.indexed_field(plan.sort)
    wanted = plan.count + 1
    if field is None:
        stages = computed_stages(plan, where, wanted)
        return {"aggregate": plan.type, "pipeline": stages, "cursor": {}}
    first = sorts.phases(field, plan.sort, plan.after)[0]
    return {
        "find": plan.type,
        "filter": {"$and": [each for each in (where, first.filter) if each] or [{}]},
        "sort": dict(first.order),
        "limit": wanted,
    }


def _executed(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """The execution of a find, or of the cursor stage of an aggregation."""
    found = said if "executionStats" in said else said["stages"][0]["$cursor"]
    executed: Mapping[str, Any] = found["executionStats"]["executionStages"]
    return executed


def _stages(stage: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """`stage` and those under it, the first first."""
    yield stage
    for name in ("inputStage", "outerStage", "innerStage", "thenStage", "elseStage"):
        if name in stage:
            yield from _stages(stage[name])
    for each in stage.get("inputStages", ()):
        yield from _stages(each)
