import { bearer } from './lib/bearer.js';
import { SessionUnavailable } from './lib/error.js';
import { isSessionAnswer } from './lib/judge.js';
import { refresher } from './lib/refresher.js';
import { standing } from './lib/standing.js';
import { surroundings } from './lib/surroundings.js';

export { SessionUnavailable };

/**
 * The browser's side of a session: one per page, made where the page starts.
 *
 * The access token is held in a closure. It is in no storage, no global and no event.
 *
 * Where there is no page and no `base`, as when a page is rendered on a server, nobody is signed in:
 * the session answers `null` and leaves requests alone.
 *
 * @param {import('./index.js').Options} [options]
 * @returns {import('./index.js').Session}
 */
export function createSession(options = {}) {
  const world = surroundings(options);
  if (world.base === null) return nobody(world);
  const origin = originOf(world.base);
  const known = standing(world);
  const refreshing = refresher(world, known, {
    origin,
    place: `ps-client ${origin}`,
    refresh: `${origin}/api/auth/refresh`,
    logout: `${origin}/api/auth/logout`,
  });
  let isClosed = false;

  async function accessToken() {
    assertOpen();
    return known.token() ?? (known.over() === null ? refreshing.obtain(known.lastToken()) : null);
  }

  function assertOpen() {
    if (isClosed) throw new TypeError('This session object was closed.');
  }

  return Object.freeze({
    fetch: bearer(world, origin, known, { accessToken, obtain: refreshing.obtain }),
    accessToken,

    async settled() {
      assertOpen();
      return refreshing.settled();
    },

    adopt(answer) {
      assertOpen();
      if (!isSessionAnswer(answer)) throw new TypeError('This is not a session answer.');
      refreshing.adopt(answer);
    },

    async refresh() {
      assertOpen();
      return refreshing.obtain(known.lastToken(), true);
    },

    async signOut() {
      assertOpen();
      return refreshing.signOut();
    },

    get account() {
      return known.account();
    },

    subscribe: known.subscribe,

    close() {
      isClosed = true;
      refreshing.close();
      known.close();
    },
  });
}

/** The server tells everybody else `https_required`: better before a token has crossed the network. */
function originOf(base) {
  const url = new URL(base);
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new TypeError(`A session needs https, except on loopback: ${url.origin}`);
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new TypeError(`The base of a session is a bare origin: ${base}`);
  }
  return url.origin;
}

function nobody({ fetch }) {
  return Object.freeze({
    fetch,
    accessToken: async () => null,
    settled: async () => {},
    adopt() {
      throw new TypeError('There is no page to hold a session, and no base was given.');
    },
    refresh: async () => null,
    signOut: async () => {},
    account: null,
    subscribe: () => () => {},
    close() {},
  });
}
