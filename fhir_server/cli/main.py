"""The command line: one function a command, one file a function."""

import typer

from fhir_server.cli.apps import APPS
from fhir_server.cli.audit import AUDIT
from fhir_server.cli.capability import capability
from fhir_server.cli.doctor import doctor
from fhir_server.cli.emergencies import EMERGENCIES
from fhir_server.cli.index import index
from fhir_server.cli.outbox import OUTBOX
from fhir_server.cli.seed import seed
from fhir_server.cli.serve import serve
from fhir_server.cli.users import USERS

APP = typer.Typer(
    name="fhir-server",
    help="A FHIR R4 server on MongoDB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (serve, seed, index, capability, doctor):
    APP.command()(_command)
APP.add_typer(APPS, name="apps")
APP.add_typer(EMERGENCIES, name="emergencies")
APP.add_typer(USERS, name="users")
APP.add_typer(AUDIT, name="audit")
APP.add_typer(OUTBOX, name="outbox")
