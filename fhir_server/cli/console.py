"""What the commands say to a person: on standard error, since standard output is the log's."""

from typing import Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table

CONSOLE: Final = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A plain line; square brackets in it are text, not markup."""
    CONSOLE.print(text, markup=False)


def warn(text: str) -> None:
    """A line that is to be noticed."""
    CONSOLE.print(text, style="bold yellow", markup=False)


def fail(text: str, status: int = 1) -> NoReturn:
    """Say why the command ends here, and end it."""
    CONSOLE.print(text, style="bold red", markup=False)
    raise typer.Exit(status)


def table(key: str, *others: str) -> Table:
    """A table whose first column, under `key`, is whole on a narrow terminal too: it is what
    the next command is given."""
    found = Table()
    found.add_column(key, no_wrap=True)
    for each in others:
        found.add_column(each, overflow="fold")
    return found
