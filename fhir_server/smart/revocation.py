"""A client gives a token back.

A refresh token ends its grant with all tokens of it; an access token ends alone, and the
refresh token beside it stays. A token that is unknown or another's is answered the same.

https://www.rfc-editor.org/rfc/rfc7009
"""

from collections.abc import Mapping

from fhir_server.smart import parameters
from fhir_server.smart.authentication import authenticate, credentials
from fhir_server.smart.digests import digest
from fhir_server.smart.ending import end
from fhir_server.smart.errors import InvalidClient
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports


async def revoke(
    ports: Ports, policy: Policy, form: Mapping[str, str], authorization: str | None
) -> None:
    """Revoke what the form names, if it is the client's.

    Raises:
        InvalidClient: the client did not authenticate.
        InvalidRequest: there is no token in the form.
    """
    given = credentials(form, authorization)
    if given.method == "none" and given.client is None:
        raise InvalidClient("The client did not authenticate.")
    client = await authenticate(ports, policy, given)
    key = digest(parameters.required(form, "token"))
    refresh = await ports.refresh_tokens.find(key)
    if refresh is not None and refresh.client == client.id:
        await end(ports, refresh.grant, "given back by the app")
    access = await ports.access_tokens.find(key)
    if access is not None and access.client == client.id:
        await ports.access_tokens.remove(key)
