/** Settings → API: the account's keys. */

import { call } from './api.js';
import { actOn, announce, by, copyOf, fill, load, onSubmit, open, tellField } from './elements.js';
import { signedIn } from './session.js';
import { near, timeElement } from './times.js';
import { say } from './words.js';

let next = null;
let chosen = null;

load(async () => {
  await signedIn();
  await list();
});

async function list() {
  const page = await call('GET', '/api/keys');
  by('keys').replaceChildren(...page.keys.map(row));
  by('none').hidden = page.keys.length > 0;
  turn(page);
}

function turn(page) {
  next = page.next_cursor;
  by('more').hidden = next === null;
}

by('more').addEventListener('click', () =>
  load(async () => {
    const page = await call('GET', `/api/keys?cursor=${encodeURIComponent(next)}`);
    const rows = page.keys.map(row);
    by('keys').append(...rows);
    turn(page);
    rows[0]?.querySelector('button')?.focus();
  }),
);

const SOON = 7 * 86_400_000;

function statusOf({ revoked_at, expires_at }) {
  if (revoked_at !== null) return 'revoked';
  const left = expires_at === null ? Infinity : Date.parse(expires_at) - Date.now();
  if (left <= 0) return 'expired';
  return left < SOON ? 'ending' : 'active';
}

const BADGES = { active: 'good', ending: 'soon', expired: 'over', revoked: 'over' };

function row(key) {
  const status = statusOf(key);
  const item = copyOf('key');
  item.dataset.id = key.id;
  item.classList.toggle('is-over', BADGES[status] === 'over');
  item.querySelector('[data-slot="status"]').classList.add(BADGES[status]);
  fill(item, {
    name: key.name,
    status: say(`keys.status.${status}`),
    hint: key.hint,
    scopes: codes(key.scopes),
    created: timeElement(key.created_at),
    last_used: key.last_used_at === null ? say('keys.never_used') : timeElement(key.last_used_at),
    addresses: codes(key.allowed_ips ?? []),
    ...end(key, status),
  });
  item.querySelector('[data-slot="addresses_row"]').hidden = (key.allowed_ips ?? []).length === 0;
  const actions = item.querySelector('[data-slot="actions"]');
  actions.hidden = BADGES[status] === 'over';
  for (const button of actions.querySelectorAll('button')) {
    actOn(button, key.name);
    button.addEventListener('click', () => begin(button.dataset.act, key));
  }
  return item;
}

function end(key, status) {
  switch (status) {
    case 'revoked':
      return { end_term: say('keys.revoked'), end: timeElement(key.revoked_at) };
    case 'expired':
      return { end_term: say('keys.expired'), end: timeElement(key.expires_at) };
    default:
      if (key.expires_at === null) return { end: say('keys.never_expires') };
      return { end: timeElement(key.expires_at) };
  }
}

function codes(texts) {
  if (texts.length === 0) return say('keys.scopes.none');
  return texts.map((text) => Object.assign(document.createElement('code'), { textContent: text }));
}

function begin(act, key) {
  chosen = key;
  const dialog = by(`${act}-dialog`);
  fill(dialog, { title: act === 'rotate' ? say('rotate.title', key) : say('revoke.title', key) });
  open(dialog);
}

const creating = by('create-dialog').querySelector('form');

by('create').addEventListener('click', () => {
  creating.reset();
  by('expiry-date').hidden = true;
  by('date').min = isoDay(1);
  open(by('create-dialog'));
  by('name').focus();
});
by('create').disabled = false;

by('expiry').addEventListener('change', ({ target }) => {
  by('expiry-date').hidden = target.value !== 'date';
});

onSubmit(creating, async (form) => {
  const name = form.get('name').trim();
  if (name === '') {
    tellField(creating, 'name', say('invalid.name'));
    return;
  }
  const addresses = words(form.get('allowed_ips'), /[\s,]+/);
  const expiry = form.get('expiry');
  const expires_at = { never: () => null, date: () => endOfDay(form.get('date')) }[expiry];
  const made = {
    name,
    scopes: [...new Set([...form.getAll('scope'), ...words(form.get('scopes'), /[\s,]+/)])],
    expires_at: expires_at === undefined ? inDays(Number(expiry)) : expires_at(),
    allowed_ips: addresses.length === 0 ? null : addresses,
  };
  if (expiry === 'date' && made.expires_at === null) {
    tellField(creating, 'expires_at', say('invalid.expires_at'));
    return;
  }
  await reveal(await call('POST', '/api/keys', made), by('create-dialog'), '');
});

onSubmit(by('rotate-dialog').querySelector('form'), async (form) => {
  const grace_seconds = Number(form.get('grace'));
  const made = await call('POST', `/api/keys/${chosen.id}/rotate`, { grace_seconds });
  const when = near(new Date(Date.now() + grace_seconds * 1000).toISOString());
  const old = grace_seconds === 0 ? say('shown.old.over', chosen) : say('shown.old', { ...chosen, when });
  await reveal(made, by('rotate-dialog'), old);
});

onSubmit(by('revoke-dialog').querySelector('form'), async () => {
  await call('DELETE', `/api/keys/${chosen.id}`);
  by('revoke-dialog').close();
  announce(say('keys.told.revoked', chosen));
  await load(list);
  by('create').focus();
});

/** Shows a key, this once, and says what becomes of the one before it. */
async function reveal({ key }, from, old) {
  from.close();
  by('shown-old').textContent = old;
  by('shown-key').value = key;
  by('copied').textContent = '';
  announce('');
  open(by('shown-dialog'));
  by('copy').focus();
  await load(list);
}

const shown = by('shown-dialog');

// Escape is too easily pressed on what is shown once.
shown.addEventListener('cancel', (event) => event.preventDefault());

shown.addEventListener('close', () => {
  by('shown-key').value = '';
  by('create').focus();
});

by('copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(by('shown-key').value);
    by('copied').textContent = say('copied');
  } catch {
    by('shown-key').select();
    by('copied').textContent = say('shown.copy_failed');
  }
});

function words(text, between) {
  return text.split(between).filter((word) => word !== '');
}

function inDays(days) {
  return wholeSeconds(new Date(Date.now() + days * 86_400_000));
}

function isoDay(days) {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** The last second of a day, where the person is. */
function endOfDay(day) {
  const end = new Date(`${day}T23:59:59`);
  return Number.isNaN(end.getTime()) ? null : wholeSeconds(end);
}

function wholeSeconds(time) {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
