"""The one alias for a JSON object as FHIR uses it."""

from typing import Any

JsonObject = dict[str, Any]
