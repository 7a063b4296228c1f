/** Settings → Security: linked accounts, the password, sessions. */

import { call } from './api.js';
import { device } from './device.js';
import { announce, asRefusal, by, copyOf, fill, load, onSubmit, open, refusedAt, tellField } from './elements.js';
import { recall, remember } from './memory.js';
import { signedIn } from './session.js';
import { near } from './times.js';
import { say } from './words.js';

const LINKING = 'linking';

load(async () => {
  const account = await signedIn();
  by('password-form').username.value = account.email;
  await Promise.all([identities(), sessions()]);
  welcomeBack();
});

/* Linked accounts, and whether there is a password. */

async function identities() {
  const { identities, has_password } = await call('GET', '/api/auth/identities');
  for (const identity of identities) provider(identity.provider);
  for (const item of by('linked').children) {
    showProvider(item, identities.find(({ provider }) => provider === item.dataset.provider));
  }
  showPassword(has_password);
}

/** The row of a provider; one that is not offered any more can still be unlinked. */
function provider(name) {
  const rows = [...by('linked').children];
  const known = rows.find((row) => row.dataset.provider === name);
  if (known !== undefined || rows.length === 0) return;
  const item = rows[0].cloneNode(true);
  Object.assign(item.dataset, { provider: name, title: name, gone: '' });
  item.querySelector('strong').textContent = name;
  for (const part of item.querySelectorAll('.unseen')) part.textContent = ` ${name}`;
  by('linked').append(item);
  listen(item);
}

function showProvider(item, identity) {
  const when = identity && near(identity.linked_at);
  const linked = identity?.email ? 'linked.as' : 'linked.since';
  fill(item, { state: identity ? text(linked, { ...identity, when }) : say('linked.not') });
  item.querySelector('[data-act="link"]').hidden = identity !== undefined || 'gone' in item.dataset;
  item.querySelector('[data-act="unlink"]').hidden = identity === undefined;
}

function text(linked, names) {
  return linked === 'linked.as' ? say('linked.as', names) : say('linked.since', names);
}

function listen(item) {
  const { provider: name, title } = item.dataset;
  item.querySelector('[data-act="link"]').addEventListener('click', () => link(name, title));
  item.querySelector('[data-act="unlink"]').addEventListener('click', () => {
    const path = `/api/auth/social/${name}`;
    confirm(say('unlink.title', { title }), say('unlink.text', { title }), say('linked.unlink'), async () => {
      await call('DELETE', path);
      await identities();
      return [say('linked.told.not', { title }), item.querySelector('[data-act="link"]')];
    });
  });
}

for (const item of by('linked').children) listen(item);

async function link(name, title) {
  try {
    const { authorize_url } = await call('POST', `/api/auth/social/${name}/link`, {
      return_to: '/settings/security',
    });
    remember(LINKING, title);
    location.assign(authorize_url);
  } catch (error) {
    by('failure').textContent = asRefusal(error).sentence;
    by('failure').hidden = false;
    by('failure').focus();
  }
}

/** What has come of leaving to link, where the page that one comes back to does not say already. */
function welcomeBack() {
  const title = recall(LINKING);
  remember(LINKING, null);
  if (title !== null && by('landed-badly') === null) announce(say('linked.told', { title }));
}

/* The password. */

const form = by('password-form');

function showPassword(hasPassword) {
  by('password-state').textContent = hasPassword ? say('password.has') : say('password.has_none');
  by('current-field').hidden = !hasPassword;
  by('password-action').textContent = hasPassword ? say('password.change') : say('password.set');
  form.hidden = false;
}

onSubmit(form, async (fields) => {
  const [new_password, current] = [fields.get('new_password'), fields.get('current_password')];
  by('again').hidden = true;
  if ([...new_password.normalize('NFC')].length < 8) {
    tellField(form, 'new_password', say('invalid.new_password'));
    return;
  }
  const body = { new_password, ...(current && { current_password: current }) };
  try {
    await call('PUT', '/api/auth/password', body);
  } catch (error) {
    by('again').hidden = error.code !== 'reauthentication_required';
    refusedAt(form, 'current_password_wrong', 'current_password', error);
    return;
  }
  form.new_password.value = '';
  form.current_password.value = '';
  announce(say('password.told'));
  // The form is free for the next thing meanwhile.
  load(() => Promise.all([identities(), sessions()]));
});

/* Sessions. */

async function sessions() {
  const { sessions } = await call('GET', '/api/auth/sessions');
  sessions.sort((a, b) => b.current - a.current || b.last_seen_at.localeCompare(a.last_seen_at));
  by('sessions').replaceChildren(...sessions.map(sessionRow));
  by('end-others').hidden = sessions.length < 2;
}

function sessionRow({ id, created_at, last_seen_at, ip, user_agent, current }) {
  const item = copyOf('session');
  const name = device(user_agent);
  fill(item, {
    device: name,
    place: say('sessions.place', { network: ip, since: near(created_at), seen: near(last_seen_at) }),
    end: current ? say('sessions.sign_out') : say('sessions.end'),
    which: ` (${name})`,
  });
  item.title = user_agent ?? '';
  item.querySelector('[data-slot="current"]').hidden = !current;
  item.querySelector('[data-act="end"]').addEventListener('click', () => end(id, name, current));
  return item;
}

function end(id, name, isCurrent) {
  if (isCurrent) {
    by('sign-out').click();
    return;
  }
  const title = say('end.title', { device: name });
  confirm(title, say('end.text'), say('sessions.end'), async () => {
    await call('DELETE', `/api/auth/sessions/${id}`);
    await sessions();
    return [say('sessions.told'), by('sessions-title')];
  });
}

by('end-others').addEventListener('click', () => {
  const action = say('sessions.end_others');
  confirm(say('end_others.title'), say('end_others.text'), action, async () => {
    await call('DELETE', '/api/auth/sessions');
    await sessions();
    return [say('sessions.told.others'), by('sessions-title')];
  });
});

/* Asking before what cannot be undone. What is done says what has come of it, and where to go on. */

let confirmed = null;

function confirm(title, sentence, action, work) {
  by('confirm-title').textContent = title;
  by('confirm-text').textContent = sentence;
  by('confirm-action').textContent = action;
  confirmed = work;
  open(by('confirm'));
}

onSubmit(by('confirm').querySelector('form'), async () => {
  const [sentence, place] = await confirmed();
  by('confirm').close();
  announce(sentence);
  place.focus();
});
