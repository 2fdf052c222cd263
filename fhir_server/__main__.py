"""`python -m fhir_server` and `fhir-server`."""

import gc

# What is imported stays: looking for garbage in it, as it grew, took a fifth of every start.
gc.disable()

from fhir_server.cli.main import APP  # noqa: E402

gc.freeze()
gc.enable()


def main() -> None:
    """Run the command that the arguments name."""
    APP()


if __name__ == "__main__":
    main()
