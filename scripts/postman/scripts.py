"""What the requests of signing in do before they are sent, and with their answers."""

from typing import Final

_ENCODING: Final = (
    "const crypto = require('crypto-js');",
    "const base64url = words => crypto.enc.Base64.stringify(words)",
    "  .replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, '');",
    "const random = bytes => base64url(crypto.lib.WordArray.random(bytes));",
)

ONLY_WITH_ACCOUNTS: Final = (
    "// An environment without accounts is one of a server without access control.",
    "if (!pm.environment.get('patient_password')) pm.execution.skipRequest();",
)

PKCE: Final = (
    "// RFC 7636: the app keeps the verifier, and sends its SHA-256 ahead.",
    *_ENCODING,
    "const verifier = random(32);",
    "pm.collectionVariables.set('code_verifier', verifier);",
    "pm.collectionVariables.set('code_challenge', base64url(crypto.SHA256(verifier)));",
    "pm.collectionVariables.set('state', random(16));",
)

ASSERTION: Final = (
    "// RFC 7523: a JWT of RS384, signed here. RSA is a power modulo n, and BigInt can do it.",
    *_ENCODING,
    "const json = value => base64url(crypto.enc.Utf8.parse(JSON.stringify(value)));",
    "const number = text => BigInt('0x' + crypto.enc.Hex.stringify(crypto.enc.Base64.parse(",
    "  text.replace(/-/g, '+').replace(/_/g, '/'))));",
    "const power = (base, exponent, modulus) => {",
    "  let result = 1n;",
    "  for (; exponent > 0n; exponent >>= 1n, base = base * base % modulus)",
    "    if (exponent & 1n) result = result * base % modulus;",
    "  return result;",
    "};",
    "const key = JSON.parse(pm.environment.get('service_key') || '{}');",
    "const id = pm.collectionVariables.get('service_id');",
    "const claims = {iss: id, sub: id, aud: pm.environment.get('issuer') + '/auth/token',",
    "  exp: Math.floor(Date.now() / 1000) + 240, jti: random(16)};",
    "const signed = json({alg: 'RS384', typ: 'JWT', kid: key.kid}) + '.' + json(claims);",
    "if (key.n) {",
    "  const n = number(key.n), length = n.toString(16).length;",
    "  // RFC 8017, section 9.2: the digest behind the name of SHA-384 and its padding.",
    "  const digest = '3041300d060960864801650304020205000430' + crypto.SHA384(signed);",
    "  const padded = '0001' + 'f'.repeat(length - digest.length - 6) + '00' + digest;",
    "  const signature = power(BigInt('0x' + padded), number(key.d), n).toString(16);",
    "  pm.collectionVariables.set('client_assertion', signed + '.' +",
    "    base64url(crypto.enc.Hex.parse(signature.padStart(length, '0'))));",
    "}",
)


def shows_form(action: str) -> tuple[str, ...]:
    """The page has the form that goes to `action`; kept are the request that waits, named in
    its URL, and the token of the form."""
    return (
        "const page = require('cheerio').load(pm.response.text());",
        f"const form = page('form[action^=\"{action}?\"]').first();",
        f"pm.test('shows the form of {action}', () => pm.expect(form.length).to.eql(1));",
        "pm.collectionVariables.set('waiting', (form.attr('action') || '').split('=')[1]);",
        "pm.collectionVariables.set('csrf', form.find('input[name=csrf]').val());",
    )


BRINGS_CODE: Final = (
    "pm.test('status is 303', () => pm.expect(pm.response.code).to.eql(303));",
    "const target = pm.response.headers.get('Location') || '';",
    "const query = require('url').parse(target, true).query;",
    "pm.test('goes to the app', () => pm.expect(target.split('?')[0])",
    "  .to.eql(pm.collectionVariables.get('redirect_uri')));",
    "pm.test('brings a code', () => pm.expect(query.code).to.be.a('string'));",
    "pm.test('state and issuer are ours', () => {",
    "  pm.expect(query.state).to.eql(pm.collectionVariables.get('state'));",
    "  pm.expect(query.iss).to.eql(pm.environment.get('issuer'));",
    "});",
    "pm.collectionVariables.set('code', query.code);",
)


def refuses(code: str) -> str:
    """The body is an OAuth error of this code."""
    return (
        f"pm.test('the error is {code}', () => "
        f"pm.expect(pm.response.json().error).to.eql('{code}'));"
    )


def answers(**values: str) -> tuple[str, ...]:
    """The JSON has these members; values are expressions of JavaScript."""
    return tuple(
        f"pm.test('{name} is as it should be', () => "
        f"pm.expect(pm.response.json()['{name}']).to.eql({value}));"
        for name, value in values.items()
    )


def wait(milliseconds: int) -> str:
    """Send the request so much later."""
    return f"setTimeout(() => {{}}, {milliseconds});"
