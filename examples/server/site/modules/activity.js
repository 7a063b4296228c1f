/** What happened to the account lately. */

import { call } from './api.js';
import { by, copyOf, fill, load } from './elements.js';
import { signedIn } from './session.js';
import { timeElement } from './times.js';
import { knows, say } from './words.js';

/** Every page that is opened renews the session: so many lines that they hide the others. */
const RENEWAL = 'session.refreshed';

/** What its owner should look at twice. */
const ALARMS = new Set(['refresh.replayed', 'store.behind_token', 'account.disabled']);

let events = [];
let names = new Map();

load(async () => {
  await signedIn();
  const [told, { keys }] = await Promise.all([call('GET', '/api/activity'), call('GET', '/api/keys?limit=100')]);
  events = told.events;
  names = new Map(keys.map(({ id, name }) => [id, name]));
  show();
});

by('refreshes').addEventListener('change', show);

function show() {
  const withRenewals = by('refreshes').checked;
  const shown = events.filter(({ outcome }) => withRenewals || outcome !== RENEWAL);
  by('events').replaceChildren(...shown.map(row));
  by('none').hidden = shown.length > 0;
}

function row({ at, outcome, reason, subject, network }) {
  const item = copyOf('event');
  item.classList.toggle('is-alarm', ALARMS.has(outcome));
  const why = reason !== null && (knows(`reason.${reason}`) ? say(`reason.${reason}`) : reason);
  const about = [names.get(subject), why].filter(Boolean);
  fill(item, {
    what: knows(`event.${outcome}`) ? say(`event.${outcome}`) : outcome,
    about: about.map((part) => `· ${part}`).join(' '),
    at: timeElement(at),
    network: network ?? '',
  });
  return item;
}
