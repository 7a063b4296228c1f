// Two issuers by npm's oidc-provider, which is certified by the OpenID Foundation: one to sign in at
// as at Google, one as at LinkedIn.
//
//     node provider.mjs --google-redirect-uri=URI --linkedin-redirect-uri=URI
//
// One line of JSON on standard output says that both listen, and where:
//
//     {"google":{"issuer":"http://127.0.0.1:…","client_id":"google","client_secret":"…"},"linkedin":{…}}
//
// Everything else goes to standard error. It ends when its standard input does.
//
// Nobody is asked for anything: whoever `login_hint` in the authorization request names is signed in,
// alice@example.com where it names nobody. The address of somebody whose name begins with
// `unverified` is not verified, and `denied@example.com` says no.

import { createServer } from "node:http";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { parseArgs } from "node:util";

import { Provider } from "oidc-provider";

console.info = console.error;

const DEFAULT = "alice@example.com";
const DENIED = "denied@example.com";

const { values: uris } = parseArgs({
  options: {
    "google-redirect-uri": { type: "string" },
    "linkedin-redirect-uri": { type: "string" },
  },
});
if (Object.keys(uris).length !== 2) {
  console.error("usage: node provider.mjs --google-redirect-uri=URI --linkedin-redirect-uri=URI");
  process.exit(2);
}

// Each has an issuer of its own, because discovery knows no clients: it tells one way to authenticate.
const google = {
  client_id: "google",
  client_secret: randomBytes(32).toString("base64url"),
  redirect_uris: [uris["google-redirect-uri"]],
  token_endpoint_auth_method: "client_secret_post",
};
const linkedin = {
  client_id: "linkedin",
  client_secret: randomBytes(32).toString("base64url"),
  redirect_uris: [uris["linkedin-redirect-uri"]],
  token_endpoint_auth_method: "client_secret_basic",
};

console.log(
  JSON.stringify({
    google: await serve(google, { pkceRequired: true }),
    linkedin: await serve(linkedin, { pkceRequired: false }),
  }),
);

process.stdin.on("end", () => process.exit()).resume();

async function serve(client, { pkceRequired }) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${server.address().port}`;

  const provider = new Provider(issuer, {
    clients: [client],
    clientAuthMethods: [client.token_endpoint_auth_method],
    jwks: { keys: [rs256(), es256()] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    // The address stands in the ID token too, as it does at Google and LinkedIn.
    conformIdTokenClaims: false,
    pkce: { required: () => pkceRequired },
    features: { devInteractions: { enabled: false } },
    interactions: { url: () => "/sign-in" },
    findAccount,
    loadExistingGrant: grantEverything,
  });
  provider.on("server_error", (_, error) => console.error(error));

  const answer = provider.callback();
  server.on("request", (request, response) => {
    // Nobody stays signed in, so that one browser can come back as somebody else.
    request.headers.cookie = request.headers.cookie?.replaceAll(/\b_session\b[^;]*(; )?/g, "");
    if (request.url === "/sign-in") {
      signIn(provider, request, response).catch((error) => {
        console.error(error);
        response.writeHead(500).end();
      });
    } else {
      answer(request, response);
    }
  });
  return { issuer, client_id: client.client_id, client_secret: client.client_secret };
}

async function signIn(provider, request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const who = params.login_hint ?? DEFAULT;
  const result =
    who === DENIED
      ? { error: "access_denied", error_description: "somebody said no" }
      : { login: { accountId: subject(who) } };
  await provider.interactionFinished(request, response, result);
}

// Nothing that could be taken for an address.
function subject(address) {
  return Buffer.from(address).toString("hex");
}

function findAccount(_, accountId) {
  const email = Buffer.from(accountId, "hex").toString();
  const email_verified = !email.startsWith("unverified");
  return { accountId, claims: () => ({ sub: accountId, email, email_verified }) };
}

async function grantEverything({ oidc: { client, provider, session } }) {
  const { clientId } = client;
  const grant = new provider.Grant({ clientId, accountId: session.accountId });
  grant.addOIDCScope("openid email");
  await grant.save();
  return grant;
}

function rs256() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "rsa" };
}

function es256() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "ec" };
}
