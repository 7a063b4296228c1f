import { Browser } from './browser.js';
import { Time } from './clock.js';
import { Dice } from './dice.js';
import { Server } from './server.js';

/** A server, and one browser that is signed in at it as alice. */
export function signedIn({ has, ...policy } = {}) {
  const time = new Time();
  const server = new Server(time, policy);
  const browser = new Browser(time, server, new Dice(1), has);
  browser.jar = server.signIn().cookie;
  return { time, server, browser };
}

/** The refreshes among the requests of `browser`. */
export function refreshes(browser) {
  return browser.requests.filter((request) => request.pathname === '/api/auth/refresh');
}

/** An error as the server answers it. */
export function problem(status, code, headers) {
  return { status, body: { error: 'Refused.', code }, headers };
}

/** Weather that meets the refreshes in this order, and no others. */
export function inOrder(...kinds) {
  return (record) => (record.pathname === '/api/auth/refresh' ? (kinds.shift() ?? {}) : {});
}
