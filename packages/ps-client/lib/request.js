/** How long an answer is waited for, headers and body, in milliseconds. */
export const TIMEOUT = 10_000;

/**
 * Sends one request about the session itself and reads the whole answer.
 *
 * `options` are the request's `headers` and `keepalive`; `stop` calls it off. `onHead` is called with
 * the headers: by then the cookie of an answer is in the browser's jar, whatever becomes of the body.
 *
 * @returns `{ status, code, retryAfter, body }`; status 0 where there was no answer. It never throws.
 */
export async function ask({ fetch, clock }, url, options, stop, onHead = () => {}) {
  const late = () => stop.abort();
  const timer = clock.setTimeout(late, TIMEOUT);
  const call = {
    ...options,
    method: 'POST',
    credentials: 'include',
    cache: 'no-store',
    redirect: 'error',
    signal: stop.signal,
  };
  let answer = { status: 0, code: 'network', retryAfter: 0, body: null };
  try {
    const response = await fetch(url, call);
    answer = { ...answer, status: response.status, code: `http_${response.status}` };
    answer.retryAfter = seconds(response.headers.get('retry-after'));
    onHead(response);
    if (response.status === 204) return answer;
    const body = await response.json();
    return { ...answer, body, code: typeof body?.code === 'string' ? body.code : answer.code };
  } catch {
    return answer;
  } finally {
    clock.clearTimeout(timer);
  }
}

/** `Retry-After` where it is a number of seconds, as ours always is; in milliseconds. */
function seconds(text) {
  return /^\d{1,6}$/.test(text ?? '') ? Number(text) * 1000 : 0;
}
