"""Every way to write in which a server could tell of a resource: rows of the leak matrix.

For doors named in BESIDE there is a visible `{h}-beside` that the same criteria find.
"""

import json
from base64 import b64encode
from typing import Final

from tests.support.doors import bundle, entry
from tests.support.worlds import Ask

_PATCH: Final = {"Content-Type": "application/json-patch+json"}
_OBSERVATION: Final = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "new"},
    "identifier": [{"system": "urn:h", "value": "{h}"}],
    "category": [{"coding": [{"system": "urn:category", "code": "laboratory"}]}],
    "subject": {"reference": "Patient/{p}"},
}
_AMEND: Final = [{"op": "replace", "path": "/status", "value": "amended"}]
_REFERRING: Final = _OBSERVATION | {
    "identifier": [{"value": "x"}],
    "derivedFrom": [{"reference": "Observation/{h}"}],
}
_AS_BINARY: Final = {
    "resourceType": "Binary",
    "contentType": "application/json-patch+json",
    "data": b64encode(json.dumps(_AMEND).encode()).decode(),
}
_TAG: Final = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "meta", "valueMeta": {"tag": [{"system": "urn:tag", "code": "{h}"}]}}
    ],
}

WRITES: Final[dict[str, Ask]] = {
    "update": Ask("PUT", "/Observation/{h}", {**_OBSERVATION, "id": "{h}"}),
    "update if match": Ask(
        "PUT", "/Observation/{h}", {**_OBSERVATION, "id": "{h}"}, {"If-Match": 'W/"1"'}
    ),
    "update if none": Ask(
        "PUT", "/Observation/{h}", {**_OBSERVATION, "id": "{h}"}, {"If-None-Match": "*"}
    ),
    "patch": Ask(
        "PATCH", "/Observation/{h}",
        _AMEND, _PATCH,
    ),
    "conditional patch": Ask(
        "PATCH", "/Observation?identifier=urn:h|{h}",
        _AMEND, _PATCH,
    ),
    "delete": Ask("DELETE", "/Observation/{h}"),
    "delete if match": Ask("DELETE", "/Observation/{h}", None, {"If-Match": 'W/"1"'}),
    "conditional delete": Ask("DELETE", "/Observation?identifier=urn:h|{h}"),
    "conditional create": Ask(
        "POST", "/Observation", _OBSERVATION, {"If-None-Exist": "identifier=urn:h|{h}"}
    ),
    "conditional update": Ask("PUT", "/Observation?identifier=urn:h|{h}", _OBSERVATION),
    "conditional update with an id": Ask(
        "PUT", "/Observation?code:text=none", {**_OBSERVATION, "id": "{h}"}
    ),
    "meta-add": Ask(
        "POST", "/Observation/{h}/$meta-add",
        {"resourceType": "Parameters", "parameter": [
            {"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": "t"}]}}]},
    ),
    "batch of writes": Ask(
        "POST", "/", bundle("batch", entry("DELETE", "Observation/{h}"),
        entry("PUT", "Observation/{h}", {**_OBSERVATION, "id": "{h}"})),
    ),
    "transaction update": Ask(
        "POST", "/", bundle("transaction",
        entry("PUT", "Observation/{h}", {**_OBSERVATION, "id": "{h}"})),
    ),
    "transaction delete": Ask(
        "POST", "/", bundle("transaction", entry("DELETE", "Observation/{h}")),
    ),
    "transaction conditional delete": Ask(
        "POST", "/",
        bundle("transaction", entry("DELETE", "Observation?identifier=urn:h|{h}")),
    ),
    "transaction conditional create": Ask(
        "POST", "/", bundle("transaction",
        entry("POST", "Observation", _OBSERVATION, ifNoneExist="identifier=urn:h|{h}")),
    ),
    "transaction conditional update": Ask(
        "POST", "/", bundle("transaction",
        entry("PUT", "Observation?identifier=urn:h|{h}", _OBSERVATION)),
    ),
    "transaction conditional reference": Ask(
        "POST", "/", bundle("transaction",
        entry("POST", "Observation", {**_OBSERVATION, "identifier": [{"value": "x"}],
        "derivedFrom": [{"reference": "Observation?identifier=urn:h|{h}"}]})),
    ),
    "update over a deletion": Ask("PUT", "/Observation/{h}", {**_OBSERVATION, "id": "{h}"}),
    "patch of a deletion": Ask("PATCH", "/Observation/{h}", _AMEND, _PATCH),
    "patch that tests": Ask(
        "PATCH", "/Observation/{h}",
        [{"op": "test", "path": "/status", "value": "cancelled"}], _PATCH,
    ),
    "patch if match": Ask("PATCH", "/Observation/{h}", _AMEND, {**_PATCH, "If-Match": 'W/"7"'}),
    "delete, told": Ask(
        "DELETE", "/Observation?identifier=urn:h|{h}", None,
        {"Prefer": "return=OperationOutcome"},
    ),
    "conditional update beside": Ask(
        "PUT", "/Observation?identifier=urn:pair|{h}", _OBSERVATION
    ),
    "conditional patch beside": Ask(
        "PATCH", "/Observation?identifier=urn:pair|{h}", _AMEND, _PATCH
    ),
    "conditional create beside": Ask(
        "POST", "/Observation", _OBSERVATION, {"If-None-Exist": "identifier=urn:pair|{h}"}
    ),
    "conditional delete beside": Ask(
        "DELETE", "/Observation?identifier=urn:pair|{h}", None,
        {"Prefer": "return=OperationOutcome"},
    ),
    "meta-delete": Ask("POST", "/Observation/{h}/$meta-delete", _TAG),
    "batch of conditional writes": Ask(
        "POST", "/", bundle("batch",
        entry("PUT", "Observation?identifier=urn:h|{h}", _OBSERVATION),
        entry("DELETE", "Observation?identifier=urn:h|{h}")),
    ),
    "transaction patch": Ask(
        "POST", "/", bundle("transaction", entry("PATCH", "Observation/{h}", _AS_BINARY)),
    ),
    "transaction conditional patch": Ask(
        "POST", "/", bundle(
            "transaction", entry("PATCH", "Observation?identifier=urn:h|{h}", _AS_BINARY)
        ),
    ),
    "transaction under two names": Ask(
        "POST", "/", bundle("transaction",
        entry("PUT", "Observation/{p}-seen-0", {**_OBSERVATION, "id": "{p}-seen-0"}),
        entry("DELETE", "Observation?identifier=urn:pair|{h}")),
    ),
    "transaction reference beside": Ask(
        "POST", "/", bundle("transaction",
        entry("POST", "Observation", {**_OBSERVATION, "identifier": [{"value": "x"}],
        "derivedFrom": [{"reference": "Observation?identifier=urn:pair|{h}"}]})),
    ),
    "reindex": Ask("POST", "/Observation/{h}/$reindex"),
}  # fmt: skip

MAIN: Final = (
    "update", "update if match", "patch", "delete", "conditional create",
    "conditional update beside", "conditional delete", "transaction update",
)  # fmt: skip
"""One of each kind of door."""

GONE: Final = ("update over a deletion", "patch of a deletion")
"""Whose hidden resource has been deleted."""

BESIDE: Final = frozenset(
    {door for door in WRITES if "beside" in door} | {"transaction under two names"}
)

CREATING: Final = frozenset({
    "conditional create", "conditional update", "batch of conditional writes",
    "transaction conditional create", "transaction conditional update",
})  # fmt: skip
"""After which there is something that may be seen under the same identifier."""

MUTE: Final[dict[str, Ask]] = {
    "reference": Ask(
        "POST", "/Observation",
        _REFERRING,
    ),
    "reference in a transaction": Ask(
        "POST", "/", bundle("transaction", entry("POST", "Observation",
        _REFERRING)),
    ),
    "validate a reference": Ask(
        "POST", "/Observation/$validate",
        _REFERRING,
    ),
    "deletion of a deletion": Ask("DELETE", "/Observation/{h}-gone"),
    "version that never was": Ask("GET", "/Observation/{h}/_history/9"),
    "methods": Ask("OPTIONS", "/Observation/{h}"),
    "binary in its context": Ask(
        "POST", "/Binary", {"resourceType": "Binary", "contentType": "text/plain",
        "securityContext": {"reference": "DocumentReference/{h}-document"}},
    ),
}  # fmt: skip
"""What tells nobody anything, not even whoever may see everything."""
