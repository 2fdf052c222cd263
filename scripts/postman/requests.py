"""Items of a Postman collection: a request with the assertions that belong to it.

https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/index.html
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import quote

JsonObject = dict[str, Any]

_READABLE: Final = "{}|:,$/*@!"  # `{{variable}}` must stay as it is
JSON: Final = "application/fhir+json"


def folder(name: str, items: Iterable[JsonObject], about: str = "") -> JsonObject:
    """A folder of requests or folders."""
    return {"name": name, "description": about, "item": list(items)}


def request(
    name: str,
    method: str,
    path: str,
    *tests: str,
    query: Sequence[tuple[str, str]] = (),
    body: Any = None,
    headers: Sequence[tuple[str, str]] = (),
    content_type: str = JSON,
) -> JsonObject:
    """One request below `{{base}}`; `tests` are lines of its test script.

    `body` is JSON unless it is a string, which is sent as it is.
    """
    sent = [{"key": "Accept", "value": JSON}] if _without_accept(headers) else []
    sent += [{"key": key, "value": value} for key, value in headers]
    found: JsonObject = {"method": method, "header": sent, "url": _url(path, query)}
    if body is not None:
        sent.append({"key": "Content-Type", "value": content_type})
        text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
        found["body"] = {"mode": "raw", "raw": text}
    script = {"type": "text/javascript", "exec": list(tests)}
    return {"name": name, "request": found, "event": [{"listen": "test", "script": script}]}


def page(
    name: str,
    method: str,
    path: str,
    *tests: str,
    query: Sequence[tuple[str, str]] = (),
    form: Sequence[tuple[str, str]] = (),
) -> JsonObject:
    """One request below `{{issuer}}`, as a browser or an app sends it; `form` is its body."""
    item = request(
        name, method, path, *tests, query=query, headers=[("Accept", "text/html, */*;q=0.5")]
    )
    sent = item["request"]
    sent["url"] = _url(path, query, "{{issuer}}")
    if form:
        sent["header"].append({"key": "Origin", "value": "{{issuer}}"})
        rows = [{"key": key, "value": value, "type": "text"} for key, value in form]
        sent["body"] = {"mode": "urlencoded", "urlencoded": rows}
    return item


def before(item: JsonObject, *lines: str) -> JsonObject:
    """The item with a script that runs before it, or before everything in the folder."""
    script = {"type": "text/javascript", "exec": list(lines)}
    event = {"listen": "prerequest", "script": script}
    return {**item, "event": [event, *item.get("event", ())]}


def with_token(variable: str, item: JsonObject) -> JsonObject:
    """The request with the access token that the variable holds; `""`: without any."""
    token = {"key": "token", "value": f"{{{{{variable}}}}}", "type": "string"}
    auth = {"type": "bearer", "bearer": [token]} if variable else {"type": "noauth"}
    return {**item, "request": {**item["request"], "auth": auth}}


def without_redirects(item: JsonObject) -> JsonObject:
    """The request whose answer is the redirect itself."""
    return {**item, "protocolProfileBehavior": {"followRedirects": False}}


def _without_accept(headers: Sequence[tuple[str, str]]) -> bool:
    return all(key.lower() != "accept" for key, _ in headers)


def _url(path: str, query: Sequence[tuple[str, str]], base: str = "{{base}}") -> JsonObject:
    pairs = [{"key": key, "value": quote(value, safe=_READABLE)} for key, value in query]
    text = "&".join(f"{pair['key']}={pair['value']}" for pair in pairs)
    raw = base + path + (f"?{text}" if text else "")
    parts = [part for part in path.split("/") if part]
    url: JsonObject = {"raw": raw, "host": [base], "path": parts}
    return url | ({"query": pairs} if pairs else {})


def status(*codes: int) -> str:
    """The answer has one of these statuses."""
    wanted = ", ".join(str(code) for code in codes)
    return (
        f"pm.test('status is {wanted}', () => "
        f"pm.expect(pm.response.code).to.be.oneOf([{wanted}]));"
    )


def resource(kind: str) -> str:
    """The body is a resource of this type."""
    return (
        f"pm.test('the body is a {kind}', () => "
        f"pm.expect(pm.response.json().resourceType).to.eql('{kind}'));"
    )


def issue(code: str) -> str:
    """The body is an OperationOutcome with an issue of this code."""
    return (
        f"pm.test('an issue says {code}', () => "
        f"pm.expect(pm.response.json().issue.map(i => i.code)).to.include('{code}'));"
    )


def header(name: str, value: str) -> str:
    """The header has this value."""
    return (
        f"pm.test('{name} is {value}', () => "
        f"pm.expect(pm.response.headers.get('{name}')).to.eql('{value}'));"
    )


def finds(variable: str) -> tuple[str, ...]:
    """The searchset holds exactly the resource whose id the variable keeps."""
    return (
        status(200),
        "pm.test('finds the resource, and it alone', () => {",
        "  const matches = (pm.response.json().entry || [])",
        "    .filter(e => e.search.mode === 'match').map(e => e.resource.id);",
        f"  pm.expect(matches).to.eql([pm.collectionVariables.get('{variable}')]);",
        "});",
    )


def keep(variable: str, expression: str) -> str:
    """Keep a value of the answer for later requests."""
    return f"pm.collectionVariables.set('{variable}', {expression});"
