"""Who ordered a job, as they are while it is carried out: rights and audit as of a request.

Rights are asked for anew before every step, and nothing of them is kept with the job. So a
revoked grant ends it, and a withdrawn Consent bites on the next entry.

https://hl7.org/fhir/R4/async.html
"""

from dataclasses import replace
from typing import Final

from fhir_server.core.paths import Target
from fhir_server.interactions.context import Context, Services
from fhir_server.interactions.grants import Again, caller_of, principal_of
from fhir_server.interactions.trail import Origin, Trail, doing_of_request
from fhir_server.store.port import Job

WHOLE: Final = doing_of_request("transaction", Target("system"))
"""A Bundle, as the audit calls it where it is refused as a whole."""


class Callers:
    """The callers of one process's jobs."""

    def __init__(self, services: Services, again: Again) -> None:
        self._services = services
        self._again = again

    def trail(self, job: Job) -> Trail | None:
        """What the audit is told of an attempt at the job, as of the request that ordered it.

        Raises:
            Forbidden: who ordered it cannot be told.
        """
        audit, principal = self._services.audit, principal_of(job.grant)
        if audit is None or principal is None:
            return None
        form = job.form
        address, request = form.get("address", ""), form.get("request", "")
        origin = Origin(self._services.now(), address, request)
        return Trail(audit.log, principal, origin, WHOLE)

    async def context(self, job: Job, *, size: int, trail: Trail | None) -> Context:
        """Of the request that the job is.

        Raises:
            Forbidden: nothing is left of its caller's rights.
        """
        caller = await caller_of(job.grant, self._again)
        if trail is not None:
            trail.under(caller.applied)
        return Context(
            self._services,
            caller.rights,
            caller.principal,
            caller.withheld,
            language=job.form["language"],
            lenient=job.form["lenient"],
            trail=trail,
            size=size,
        )

    async def renewed(self, ctx: Context, job: Job) -> Context:
        """`ctx` with the rights of this moment.

        Raises:
            Forbidden: nothing is left of them.
        """
        caller = await caller_of(job.grant, self._again)
        if ctx.trail is not None:
            ctx.trail.under(caller.applied)
        return replace(
            ctx,
            rights=caller.rights,
            principal=caller.principal,
            withheld=caller.withheld,
        )
