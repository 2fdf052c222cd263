"""Who acts for whom now, by what is on file of relations, verifications, ages and Consents.

https://hl7.org/fhir/R4/relatedperson.html
"""

from collections.abc import Sequence

from fhir_server.access.policy import AccessPolicy
from fhir_server.access.proxies import Clock, Relations, Represented, represented, verified_by
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.interactions.facts import Facts
from fhir_server.search.plan import Ids


async def acting(
    facts: Facts, policy: AccessPolicy, relations: Sequence[JsonObject], now: int, base: str
) -> tuple[Represented, ...]:
    """What each of `relations` (RelatedPersons) allows at `now`, milliseconds since 1970."""
    if not relations:
        return ()
    named = tuple(f"RelatedPerson/{each['id']}" for each in relations)
    results = await facts.referring("VerificationResult", "target", named)
    patients = {
        references.parse(each.get("patient", {}).get("reference", ""), base).id or ""
        for each in relations
    }
    births = {
        each["id"]: each["birthDate"]
        for each in await facts.find("Patient", Ids(tuple(patients)), len(patients))
        if "birthDate" in each
    }
    known = Relations(
        relations,
        verified_by(results, now, base),
        births,
        await facts.consents(tuple(patients)),
    )
    return represented(known, policy.proxies, Clock(now, policy.zone), base)
