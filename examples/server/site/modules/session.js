/** The one session of this page, and what the page's head shows of it. */

import { createSession } from './ps-client/index.js';

export const session = createSession();

const page = document.documentElement;

/** Who is signed in, or null. A server that cannot be reached leaves that open, and the page as it was. */
export const known = session.accessToken().then(
  () => session.account,
  () => null,
);

known.then(show);
session.subscribe(() => show(session.account));

/**
 * The account of a page that is only for whoever is signed in; others are sent to sign in, and come
 * back to it.
 */
export async function signedIn() {
  // A session that could not be asked for is not one that has ended: the page tells of it instead.
  if ((await session.accessToken()) === null) return leave();
  const { id } = session.account;
  session.subscribe(() => {
    if (session.account === null) leave();
    else if (session.account.id !== id) location.reload();
  });
  return session.account;
}

/** Off to the page to sign in on, or home where that is what was wanted; nothing after it happens. */
function leave() {
  const here = encodeURIComponent(location.pathname);
  if (!isLeaving) location.assign(isSigningOut ? '/' : `/sign-in?return_to=${here}`);
  isLeaving = true;
  return new Promise(() => {});
}

let isLeaving = false;
let isSigningOut = false;

function show(account) {
  page.dataset.session = account === null ? 'out' : 'in';
  for (const place of document.querySelectorAll('[data-account]')) {
    place.textContent = account?.email ?? '';
    place.title = account?.email ?? '';
  }
}

document.querySelector('#sign-out')?.addEventListener('click', async ({ currentTarget }) => {
  currentTarget.setAttribute('aria-disabled', 'true');
  document.getElementById('still-signed-in').hidden = true;
  isSigningOut = true;
  try {
    await session.signOut();
    await leave();
  } catch {
    isSigningOut = false;
    currentTarget.removeAttribute('aria-disabled');
    document.getElementById('still-signed-in').hidden = false;
  }
});

// Where a provider signs in, no answer about the session before must come behind the new cookie.
for (const link of document.querySelectorAll('a[href^="/api/auth/social/"]')) {
  link.addEventListener('click', async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await session.settled();
    location.assign(link.href);
  });
}
