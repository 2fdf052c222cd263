"""What a process does beside answering, put together of settings."""

from dataclasses import replace

from fhir_server.assembly import app_state, audit, booking, bounds
from fhir_server.interactions.context import Services
from fhir_server.jobs.background import Plan
from fhir_server.settings import Settings
from fhir_server.store.mongo.store import MongoStore


def plan(settings: Settings, store: MongoStore, services: Services) -> Plan:
    """The pace of the jobs, and the chores of every part."""
    chores = (
        *audit.chores_of(settings, store, services),
        *booking.chores(settings, services),
        *app_state.chores(settings, store, services),
    )
    return replace(bounds.plan(settings), chores=chores)
