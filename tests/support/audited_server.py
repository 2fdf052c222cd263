"""A server of its own process that knows two tokens: `python -m tests.support.audited_server`.

Arguments: the address of MongoDB, the database, the port, the setting `audit`; `over`, if the
patient's grant has ended for whatever was ordered with it.
"""

import sys

import uvicorn

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.app import create
from fhir_server.cli.protocol import Protocol
from fhir_server.settings import Settings
from tests.support.worlds import Tokens

PATIENT = Principal(
    "cabinet",
    parse_scopes("patient/*.cruds"),
    patient="p1",
    user="Patient/p1",
    represented=("p1",),
    token="p1",
)


def main(uri: str, database: str, port: str, audit: str, grant: str = "lives") -> None:
    """Serve until killed."""
    tokens = Tokens()
    tokens.give(PATIENT)
    if grant == "over":
        tokens.left[PATIENT.token] = 0
    settings = Settings.model_validate(
        {
            "mongodb_uri": uri,
            "database": database,
            "seed": False,
            "log_level": "WARNING",
            "audit": audit,
            "audit_seconds": 3600,
            "job_lease_seconds": 1,
            "job_poll_seconds": 0.05,
        }
    )
    app = create(settings, tokens.gate)
    uvicorn.run(app, port=int(port), http=Protocol, log_config=None, access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
