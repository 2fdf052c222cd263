"""The options that several commands share, and how they override the settings."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from fhir_server.cli.console import fail
from fhir_server.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the embedded database.", show_default=".data")
]
MongodbUri = Annotated[
    str | None,
    typer.Option(help="A MongoDB replica set to use instead of the embedded one."),
]


def settings_with(**options: Any) -> Settings:
    """The environment's settings, overridden by the options that were given (not None)."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = (
            f"{'FHIR_' + str(each['loc'][0]).upper() if each['loc'] else 'settings'}: "
            f"{each['msg']}"
            for each in error.errors(include_input=False)
        )
        fail("\n".join(lines), status=2)


def with_changes(settings: Settings, **changes: Any) -> Settings:
    """The same settings but for `changes`, checked anew."""
    kept = {name: getattr(settings, name) for name in settings.model_fields_set}
    return Settings(**(kept | changes))
