/** Signing in and signing up: by a code, or by a password. */

import { callOpenly } from './api.js';
import { by, onSubmit, refusedAt, tellField } from './elements.js';
import { recall, remember } from './memory.js';
import { known, session } from './session.js';
import { say } from './words.js';

const page = by('way-in');
const { purpose, returnTo } = page.dataset;
const path = purpose === 'register' ? '/api/auth/register-magic' : '/api/auth/magic-code';

/**
 * What was sent, so that a phone that drops this page while one looks at the mail brings it back. No
 * code and no credential is in it: what names the challenge is a cookie that no script can read.
 */
const PLACE = `sign-in ${purpose}`;

let sent = null;
let timer = null;
let tried = '';

const [ask, verify] = [by('ask-code'), by('verify')];

known.then((account) => {
  by('already').hidden = account === null;
});

onSubmit(ask, async (form) => {
  const email = form.get('email').trim();
  if (email === '') {
    tellField(ask, 'email', say('invalid.email'));
    return;
  }
  await request(email);
  by('code').focus();
});

onSubmit(verify, async (form) => {
  const code = form.get('code').replace(/[\s-]/g, '');
  tried = code;
  if (!/^\d+$/.test(code) || code.length !== sent.digits) {
    tellField(verify, 'code', say('invalid.code', { digits: sent.digits }));
    return;
  }
  try {
    const body = { code, email: sent.email, ...(sent.challenge && { challenge: sent.challenge }) };
    done(await enter(`${path}/verify`, body));
  } catch (error) {
    by('code').select();
    refusedAt(verify, 'code_invalid', 'code', error);
  }
});

by('code').addEventListener('input', ({ target }) => {
  const code = target.value.replace(/[\s-]/g, '');
  // The same wrong code is not tried twice by itself: tries are few.
  if (/^\d+$/.test(code) && code.length === sent.digits && code !== tried) verify.requestSubmit();
});

by('resend').addEventListener('click', async () => {
  if (by('resend').getAttribute('aria-disabled') === 'true') return;
  by('resend').setAttribute('aria-disabled', 'true');
  try {
    const before = sent.challenge;
    await request(sent.email, before);
    by('resent').textContent = sent.challenge === before ? say('resent') : by('sent').textContent;
  } catch (error) {
    by('resent').textContent = error.sentence;
    by('resend').removeAttribute('aria-disabled');
  }
});

by('another').addEventListener('click', () => {
  forget();
  by('email').focus();
  by('email').select();
});

async function request(email, challenge) {
  const body = { email, ...(challenge && { challenge }) };
  const answer = await callOpenly('POST', path, body);
  const now = Date.now();
  show({
    email,
    challenge: answer.challenge,
    digits: answer.code_length,
    until: now + answer.expires_in * 1000,
    resendAt: now + answer.resend_in * 1000,
  });
  const { challenge: _, ...kept } = sent;
  remember(PLACE, kept);
}

function show(what) {
  sent = what;
  const minutes = Math.max(1, Math.ceil((sent.until - Date.now()) / 60_000));
  const { digits, email } = sent;
  const [before, after] = say(`code.sent.${purpose}`, { digits, minutes }).split('{email}');
  const address = Object.assign(document.createElement('strong'), { textContent: email });
  by('sent').replaceChildren(before, address, after);
  by('code').maxLength = 2 * sent.digits;
  by('email').value = sent.email;
  by('ask').hidden = true;
  by('enter').hidden = false;
  by('resent').textContent = '';
  count();
}

/** How long until a code may be sent again. */
function count() {
  clearInterval(timer);
  const tick = () => {
    const seconds = Math.ceil((sent.resendAt - Date.now()) / 1000);
    const button = by('resend');
    if (seconds > 0) {
      button.setAttribute('aria-disabled', 'true');
      button.textContent = say('resend.in', { seconds });
      return;
    }
    clearInterval(timer);
    button.removeAttribute('aria-disabled');
    button.textContent = say('resend');
  };
  timer = setInterval(tick, 1_000);
  tick();
}

function forget() {
  clearInterval(timer);
  remember(PLACE, null);
  tried = '';
  by('code').value = '';
  by('enter').hidden = true;
  by('ask').hidden = false;
}

/** Signs in, and no answer about the session before comes behind. */
async function enter(path, body) {
  await session.settled();
  return callOpenly('POST', path, body);
}

function done(answer) {
  remember(PLACE, null);
  session.adopt(answer);
  location.replace(returnTo);
}

const before = recall(PLACE);
if (before?.until > Date.now() && !new URLSearchParams(location.search).has('error')) {
  show(before);
  by('enter-title').focus();
}

const login = by('by-password');
if (login !== null) {
  const choose = (isPassword) => {
    const [from, to] = isPassword ? [by('email'), by('login-email')] : [by('login-email'), by('email')];
    to.value = from.value;
    login.hidden = !isPassword;
    ask.hidden = isPassword;
    by('use-password').hidden = isPassword;
    by('use-code').hidden = !isPassword;
    (isPassword && to.value !== '' ? by('password') : to).focus();
  };
  by('use-password').addEventListener('click', () => choose(true));
  by('use-password').disabled = false;
  by('use-code').addEventListener('click', () => choose(false));
  onSubmit(login, async (form) => {
    const [email, password] = [form.get('email').trim(), form.get('password')];
    if (email === '') {
      tellField(login, 'email', say('invalid.email'));
    } else if (password === '') {
      tellField(login, 'password', say('invalid.password'));
    } else {
      try {
        done(await enter('/api/auth/login', { email, password }));
      } catch (error) {
        by('password').select();
        refusedAt(login, 'credentials_invalid', 'password', error);
      }
    }
  });
}
