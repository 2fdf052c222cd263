// openid-client, a certified relying party: one scenario, `node openid_client.mjs '{"what": …}'`.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";

import * as oidc from "openid-client";

const given = JSON.parse(process.argv[2]);
const plain = { execute: [oidc.allowInsecureRequests] }; // this machine only: no https
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

async function found(client, authentication, metadata = {}) {
  return oidc.discovery(new URL(given.root), client, metadata, authentication, plain);
}

/** Tokens of a person who signs in and allows everything. */
async function granted(config, scope) {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: "http://127.0.0.1/callback",
    scope,
    aud: given.base,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  say({ authorize: url.href });
  const lines = createInterface({ input: process.stdin });
  const back = (await lines[Symbol.asyncIterator]().next()).value;
  lines.close();
  return oidc.authorizationCodeGrant(config, new URL(back), {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  });
}

async function signingKey(file) {
  const [jwk] = JSON.parse(readFileSync(file, "utf8")).keys;
  const algorithm = jwk.kty === "RSA"
    ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" }
    : { name: "ECDSA", namedCurve: "P-384" };
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
  return { key, kid: jwk.kid };
}

/** Why a promise was rejected: the code of RFC 6749, or the challenge of RFC 6750. */
const refused = async (promise) => promise.then(
  () => null,
  (error) => ({ status: error.status, error: error.error, challenges: error.cause }),
);

const scenarios = {
  /** Discovery to revocation, by the client with a secret. */
  async code() {
    const authentication = oidc.ClientSecretBasic(given.secret);
    const config = await found("confidential", authentication);
    oidc.enableNonRepudiationChecks(config); // verify the id token's signature by the JWKS
    const tokens = await granted(config, "openid fhirUser launch/patient offline_access patient/*.rs");
    const claims = tokens.claims();
    const user = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    const active = await oidc.tokenIntrospection(config, tokens.access_token);
    const again = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    const read = await oidc.fetchProtectedResource(
      config, again.access_token, new URL(`${given.base}/Patient/${again.patient}`), "GET",
    );
    await oidc.tokenRevocation(config, again.refresh_token);
    const over = await oidc.tokenIntrospection(config, again.access_token);
    const refusal = await refused(oidc.refreshTokenGrant(config, again.refresh_token));
    const oauth = await oidc.discovery(
      new URL(given.root), "confidential", {}, authentication, { ...plain, algorithm: "oauth2" },
    );
    return {
      same: oauth.serverMetadata().token_endpoint === config.serverMetadata().token_endpoint,
      issuer: config.serverMetadata().issuer, claims, user, active, over, refusal,
      scope: tokens.scope, patient: tokens.patient, read: read.status,
      again: { sub: again.claims()?.sub, kept: again.refresh_token !== tokens.refresh_token },
    };
  },

  /** An app registers itself, signs somebody in, and forgets itself. */
  async registration() {
    const config = await oidc.dynamicClientRegistration(
      new URL(given.root),
      {
        client_name: "Newcomer",
        redirect_uris: ["http://127.0.0.1/callback"],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "client_secret_basic",
        scope: "openid fhirUser launch/patient patient/Patient.rs",
      },
      undefined,
      { ...plain, initialAccessToken: given.initial },
    );
    const known = config.clientMetadata();
    const secret = oidc.ClientSecretBasic(known.client_secret);
    const own = await found(known.client_id, secret);
    const tokens = await granted(own, "openid fhirUser launch/patient patient/Patient.rs");
    const headers = { Authorization: `Bearer ${known.registration_access_token}` };
    const gone = await fetch(known.registration_client_uri, { method: "DELETE", headers });
    return { known, scope: tokens.scope, sub: tokens.claims().sub, gone: gone.status };
  },

  /** Backend services, by a key of either kind. */
  async backend() {
    const { key, kid } = await signingKey(given.key);
    const config = await found(given.client, oidc.PrivateKeyJwt({ key, kid }));
    const tokens = await oidc.clientCredentialsGrant(config, { scope: given.scope });
    const active = await oidc.tokenIntrospection(config, tokens.access_token);
    await oidc.tokenRevocation(config, tokens.access_token);
    const over = await oidc.tokenIntrospection(config, tokens.access_token);
    return { scope: tokens.scope, expires: tokens.expires_in, active, over };
  },

  /** What a strict client must get back when something is wrong. */
  async refusals() {
    const wrong = await found("confidential", oidc.ClientSecretBasic("guess"));
    const config = await found("confidential", oidc.ClientSecretBasic(given.secret));
    return {
      client: await refused(oidc.refreshTokenGrant(wrong, "nothing")),
      grant: await refused(oidc.genericGrantRequest(config, "password", { username: "a" })),
      token: await refused(oidc.fetchUserInfo(config, "nothing", oidc.skipSubjectCheck)),
    };
  },
};

say(await scenarios[given.what]());
