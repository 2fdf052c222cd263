"""Settings as the bounds that each part is given.

https://hl7.org/fhir/R4/http.html
"""

import time

from fhir_server.interactions.context import Limits
from fhir_server.jobs.background import Plan
from fhir_server.jobs.runner import Pace
from fhir_server.rest.budgets import Budget, Budgets
from fhir_server.search.limits import SearchLimits
from fhir_server.settings import Settings
from fhir_server.store.mongo.resources import StoreLimits


def limits(settings: Settings) -> Limits:
    """Of interactions."""
    return Limits(
        entries=settings.max_entries,
        page=settings.max_count,
        default_page=settings.default_count,
        conditional_delete=settings.max_conditional_delete,
        included=settings.max_included,
        depth=settings.max_depth,
    )


def budgets(settings: Settings) -> Budgets:
    """Of clients and users."""
    return Budgets(
        Budget(settings.client_rate, settings.client_burst),
        Budget(settings.user_rate, settings.user_burst),
        Budget(settings.public_rate, settings.public_burst),
        time.monotonic,
    )


def search_limits(settings: Settings) -> SearchLimits:
    """Of searches."""
    return SearchLimits(
        values=settings.max_search_values,
        comparisons=settings.max_search_comparisons,
        parameters=settings.max_search_parameters,
        length=settings.max_search_length,
        depth=settings.max_search_depth,
        sort=settings.max_search_sort,
        concepts=settings.max_search_concepts,
        nesting=settings.max_filter_nesting,
        rounds=settings.max_include_rounds,
    )


def plan(settings: Settings) -> Plan:
    """Of jobs, and of how often definitions are looked at."""
    pace = Pace(
        lease=settings.job_lease_seconds,
        poll=settings.job_poll_seconds,
        at_once=settings.job_slots,
        tries=settings.job_tries,
    )
    return Plan(pace, settings.definitions_seconds, settings.reindex_batch)


def store_limits(settings: Settings) -> StoreLimits:
    """Of units of work and bodies."""
    return StoreLimits(
        open_units=settings.max_open_units,
        open_singles=settings.max_open_singles,
        body_bytes=settings.max_body,
    )
