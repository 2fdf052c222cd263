"""npm `openid-client`, a certified OpenID Connect client, which refuses what is not exact.

https://openid.net/specs/openid-connect-core-1_0.html
"""

import pytest

from tests.clients.serving import ANNA, INITIAL_TOKEN, Apps, Demo
from tests.clients.talking import no_node, told

SCRIPT = "openid_client.mjs"
REASON = no_node("openid-client")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


def test_oidc_02_10_18_introspection_revocation_of_a_person(demo: Demo, apps: Apps) -> None:
    seen = told(demo, SCRIPT, what="code", secret=apps.secrets["confidential"])
    assert seen["same"]  # DISC-21
    assert seen["issuer"] == seen["claims"]["iss"] == demo.root
    assert seen["claims"]["sub"] == seen["user"]["sub"] == seen["again"]["sub"]
    assert seen["claims"]["fhirUser"] == seen["user"]["fhirUser"]
    assert {"openid", "fhirUser", "launch/patient", "offline_access"} < set(
        seen["scope"].split()
    )
    assert (seen["patient"], seen["read"], seen["again"]["kept"]) == (ANNA, 200, True)
    assert seen["active"]["active"]
    assert (seen["active"]["client_id"], seen["active"]["patient"]) == ("confidential", ANNA)
    assert seen["over"] == {"active": False}
    assert (seen["refusal"]["status"], seen["refusal"]["error"]) == (400, "invalid_grant")


def test_cli_19_an_app_registers_itself(demo: Demo) -> None:
    seen = told(demo, SCRIPT, what="registration", initial=INITIAL_TOKEN)
    assert seen["known"]["client_secret_expires_at"] == 0
    assert seen["known"]["client_id"]
    asked = {"openid", "fhirUser", "launch/patient", "patient/Patient.rs"}
    assert set(seen["scope"].split()) == asked
    assert seen["gone"] == 204


@pytest.mark.parametrize("alg", ["RS384", "ES384"])
def test_bs_private_key_jwt(demo: Demo, apps: Apps, alg: str) -> None:
    key, client = {
        "RS384": (apps.keys.rsa, "everything"),
        "ES384": (apps.keys.ec, "few-types"),
    }[alg]
    scope = "system/Patient.rs"
    seen = told(demo, SCRIPT, what="backend", key=str(key), client=client, scope=scope)
    assert (seen["scope"], seen["expires"]) == (scope, 300)
    assert (seen["active"]["active"], seen["active"]["client_id"]) == (True, client)
    assert seen["over"] == {"active": False}


def test_err_refusals_as_the_rfcs_say(demo: Demo, apps: Apps) -> None:
    seen = told(demo, SCRIPT, what="refusals", secret=apps.secrets["confidential"])
    assert seen["client"]["status"] == seen["token"]["status"] == 401
    assert seen["client"]["challenges"][0]["scheme"] == "basic"
    challenge = seen["token"]["challenges"][0]
    assert (challenge["scheme"], challenge["parameters"]["error"]) == (
        "bearer",
        "invalid_token",
    )
    assert (seen["grant"]["status"], seen["grant"]["error"]) == (400, "unsupported_grant_type")
