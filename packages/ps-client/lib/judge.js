/**
 * What an answer to a refresh is worth.
 *
 * - `carried_on`: the next access token is in.
 * - `over`: the session has ended; only signing in helps.
 * - `unreadable`: no server knows this cookie, now; the server has left it where it is.
 * - `superseded`: another tab was faster; its cookie is in the jar shortly.
 * - `later`: nothing is known. The rotation may have happened, so the same key is sent again.
 * - `refused`: not as a matter of the session (an origin, a wrong address); trying at once is idle.
 *
 * Only the two codes that say so end a session: a proxy's 401 or a 500 never does.
 */
export function judge({ status, code, body }) {
  if (status === 200) return isSessionAnswer(body) ? 'carried_on' : 'later';
  if (status === 401) return REFUSALS.get(code) ?? 'refused';
  const passes = status === 0 || status === 408 || status === 429 || status >= 500;
  return passes ? 'later' : 'refused';
}

const REFUSALS = new Map([
  ['refresh_invalid', 'over'],
  ['refresh_superseded', 'superseded'],
  ['refresh_unreadable', 'unreadable'],
]);

/** Whether it is what sign-in and refresh answer with. */
export function isSessionAnswer(body) {
  return (
    typeof body?.access_token === 'string' &&
    body.access_token !== '' &&
    body.expires_in > 0 &&
    typeof body.session?.id === 'string' &&
    typeof body.account?.id === 'string'
  );
}
