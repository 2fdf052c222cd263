"""`python -m fhir_server` and `fhir-server`."""

from fhir_server.cli.main import APP


def main() -> None:
    """Run the command that the arguments name."""
    APP()


if __name__ == "__main__":
    main()
