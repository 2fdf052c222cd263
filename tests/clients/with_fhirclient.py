"""PyPI `fhirclient`: an app that knows the CapabilityStatement alone; run by `talking.told`."""

import json
import sys
from typing import Any

from fhirclient.client import FHIRClient
from fhirclient.models.observation import Observation


def main(base: str, scope: str | None) -> dict[str, Any]:
    saved: list[Any] = []
    settings = {
        "app_id": "public",
        "api_base": base,
        "redirect_uri": "http://127.0.0.1/callback",
    }
    app = FHIRClient(
        settings=settings | ({} if scope is None else {"scope": scope}), save_func=saved.append
    )
    app.prepare()
    answers: list[Any] = []
    app.server.session.hooks["response"] = lambda answer, **_: answers.append(answer)
    print(json.dumps({"authorize": app.authorize_url}), flush=True)  # noqa: T201  # a pipe
    app.handle_callback(sys.stdin.readline().strip())
    query = Observation.where({"patient": app.patient_id, "_count": "5"})
    seen = {
        "context": app.launch_context,
        "patient": app.patient.id,
        "name": app.human_name(app.patient.name[0]),
        "observations": len(query.perform_resources(app.server)),
        "posted": answers[0].request.body,
    }
    restored = FHIRClient(state=saved[-1]).patient.id
    auth = app.server.auth
    before = auth.access_token
    # Without a refresh token `reauthorize` fails in the library itself.
    refreshed = auth.refresh_token and app.reauthorize() and auth.access_token != before
    return seen | {"refreshed": refreshed, "restored": restored}


given = json.loads(sys.argv[1])
print(json.dumps(main(given["base"], given["scope"])))  # noqa: T201  # a pipe
