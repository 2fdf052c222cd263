"""Whether a value has all that a pattern has.

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_
"""

from typing import Any


def fits(value: Any, pattern: Any) -> bool:
    """Objects may have more, arrays more items in any order; a primitive must be equal."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            fits(value.get(name), each) for name, each in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(fits(item, each) for item in value) for each in pattern
        )
    return bool(value == pattern)
