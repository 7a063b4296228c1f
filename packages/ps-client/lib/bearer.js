/**
 * `fetch` that knows the session: it adds the access token to requests to `origin`, to no others, and
 * sends a request once more where its token was refused.
 */
export function bearer({ fetch, here }, origin, known, { accessToken, obtain }) {
  return async function sessionFetch(input, init) {
    const isRequest = typeof Request !== 'undefined' && input instanceof Request;
    const url = new URL(isRequest ? input.url : input, here);
    if (url.origin !== origin) return fetch(isRequest ? input : url, init);

    const request = isRequest
      ? new Request(input, init)
      : new Request(url, { credentials: 'include', ...init });
    if (request.headers.has('authorization') || request.headers.has('x-api-key')) {
      return fetch(request);
    }
    const token = await accessToken();
    // A stream is read once, and keeping all of it for a second time is nothing the caller asked for.
    const again = isStream(init?.body) ? null : request.clone();
    const response = await fetch(carrying(request, token));
    if (token === null || again === null || !(await isInvalid(response))) return response;
    const next = known.token() === token ? await renewed(obtain, token) : known.token();
    if (next === null || next === token) return response;
    return fetch(carrying(again, next));
  };
}

function carrying(request, token) {
  if (token !== null) request.headers.set('authorization', `Bearer ${token}`);
  return request;
}

/** What was refused is the better answer where there is no other token. */
async function renewed(obtain, token) {
  try {
    return await obtain(token);
  } catch {
    return null;
  }
}

function isStream(body) {
  return (
    typeof body === 'object' &&
    body !== null &&
    (typeof body.getReader === 'function' || Symbol.asyncIterator in body)
  );
}

/** 401 `session_invalid`: the one code that a refresh may help against. */
async function isInvalid(response) {
  if (response.status !== 401) return false;
  try {
    const body = await response.clone().json();
    return body?.code === 'session_invalid';
  } catch {
    return false;
  }
}
