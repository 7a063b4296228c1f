// What people do on the pages, told as they would tell it.
import assert from 'node:assert/strict';

const PASSWORD = 'correct horse battery';

export const flows = { activity, api_keys, looks, security, sign_in };

async function sign_in(world) {
  const page = await world.person();
  const email = world.address('alice');

  // Who is not signed in is sent to do so, and will come back.
  await page.goto('/settings/api');
  await page.waitForURL('**/sign-in?return_to=%2Fsettings%2Fapi');
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.waitForURL('**/sign-up?return_to=%2Fsettings%2Fapi');

  // An address that is none is told at its field, and keeps the focus.
  await ready(page);
  await page.getByRole('textbox', { name: 'Email address' }).fill('nobody');
  world.willRefuse(400, '/api/auth/register-magic');
  await page.keyboard.press('Enter');
  await page.getByText('That is not an email address.').waitFor();
  assert.equal(await focused(page), 'email');
  await page.getByRole('textbox', { name: 'Email address' }).fill(email);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Check your email' }).waitFor();
  assert.equal(await focused(page), 'code');
  const code = await world.code(email);

  // A wrong code costs neither the page nor the address.
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  world.willRefuse(401, '/api/auth/register-magic/verify');
  await page.keyboard.type(wrong);
  await page.getByText('That code is wrong').waitFor();
  assert.equal(await focused(page), 'code');
  assert.ok((await page.locator('#sent').textContent()).includes(email));
  assert.ok(page.url().includes('/sign-up?'));

  // Nor does a browser that drops the page meanwhile.
  await page.reload();
  await page.getByRole('heading', { name: 'Check your email' }).waitFor();
  assert.ok((await page.locator('#sent').textContent()).includes(email));
  const resend = page.getByRole('button', { name: /Send it again in \d+ s/ });
  assert.equal(await resend.getAttribute('aria-disabled'), 'true');

  // The whole code is pasted, as the mail wrote it or not.
  await page.getByLabel('Code', { exact: true }).focus();
  await page.evaluate((text) => navigator.clipboard.writeText(text), ` ${code.slice(0, 3)} ${code.slice(3)}`);
  await page.keyboard.press('Control+V');
  await page.waitForURL((url) => url.pathname === '/settings/api');
  await page.getByRole('heading', { name: 'No keys yet' }).waitFor();
  await assertNoTokenAtRest(page);

  // A reload goes on; signing out ends it, in every tab.
  const other = await page.context().newPage();
  await other.goto('/activity');
  await other.getByRole('heading', { name: 'Activity' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'No keys yet' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(world.base + '/');
  await page.getByRole('link', { name: 'Create an account' }).waitFor();
  await other.waitForURL('**/sign-in?return_to=%2Factivity');
  await other.close();

  // Back in, in the language of one's choice; by a code.
  await page.goto('/sign-in?lang=es');
  await page.getByRole('heading', { name: 'Entrar' }).waitFor();
  await page.getByRole('textbox', { name: 'Correo electrónico' }).fill(email);
  await page.getByRole('button', { name: 'Enviarme un código' }).click();
  await page.getByRole('heading', { name: 'Mira tu correo' }).waitFor();
  await page.getByRole('button', { name: 'Usar otra dirección' }).click();
  assert.equal(await page.getByRole('textbox', { name: 'Correo electrónico' }).inputValue(), email);
  await page.getByRole('button', { name: 'Enviarme un código' }).click();
  await page.getByLabel('Código', { exact: true }).fill(await world.code(email, 2));
  await page.waitForURL(world.base + '/');
  await page.getByRole('link', { name: /^Claves de API.+/ }).waitFor();

  // A provider that does not help is explained on the page, also in that language.
  const carol = await world.person({ locale: 'es-MX' });
  await carol.goto('/sign-in?return_to=/activity');
  await carol.getByRole('link', { name: 'Continuar con Google' }).click();
  await carol.getByRole('link', { name: 'Carol' }).click();
  await carol.waitForURL('**/sign-in?error=email_unverified');
  await carol.getByText('El otro sitio no ha comprobado tu dirección.').waitFor();
  await carol.goto('/sign-in?return_to=/activity&lang=en');
  await carol.getByRole('link', { name: 'Continue with LinkedIn' }).click();
  await carol.getByRole('link', { name: 'Bob' }).click();
  await carol.waitForURL((url) => url.pathname === '/activity');
  await carol.getByText('Signed in', { exact: true }).first().waitFor();
  await assertNoTokenAtRest(carol);
}

async function api_keys(world) {
  const page = await world.person();
  await world.signUp(page, world.address('keys'));
  await page.goto('/settings/api');
  await page.getByRole('heading', { name: 'No keys yet' }).waitFor();

  // What is wrong is told at its field, before and after the server was asked.
  await page.getByRole('button', { name: 'Create a key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create a key' });
  assert.equal(await focused(page), 'name');
  await page.keyboard.press('Enter');
  await page.getByText('Give it a name').waitFor();
  assert.equal(await focused(page), 'name');
  await page.keyboard.type('Nightly <build>');
  await dialog.getByLabel('programs:read').check();
  await dialog.getByLabel('Other scopes').fill('reports:read');
  await dialog.getByLabel('Allowed addresses').fill('somewhere');
  world.willRefuse(400, '/api/keys');
  await dialog.getByRole('button', { name: 'Create the key' }).click();
  await page.getByText('Each line must be an IP address').waitFor();
  assert.equal(await focused(page), 'addresses');
  await dialog.getByLabel('Allowed addresses').fill('127.0.0.1\n10.0.0.0/8');
  await dialog.getByLabel('Expires').selectOption('In 30 days');
  await dialog.getByRole('button', { name: 'Create the key' }).click();

  // The key is shown this once; Escape does not lose it.
  const shown = page.getByRole('dialog', { name: 'Your new key' });
  const first = await shown.getByLabel('API key').inputValue();
  assert.match(first, /^ps_[0-9A-Za-z]{38}$/);
  await page.keyboard.press('Escape');
  assert.ok(await shown.isVisible());
  await shown.getByRole('button', { name: 'Copy' }).click();
  await shown.getByText('Copied.').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), first);
  await shown.getByRole('button', { name: 'I have stored it' }).click();
  await shown.waitFor({ state: 'hidden' });
  await page.waitForFunction(() => document.getElementById('shown-key').value === '');
  assert.ok(!(await isOnPage(page, first)));
  assert.equal(await whoami(world, first), 200);
  await page.reload();
  const row = page.getByRole('listitem').filter({ hasText: first.slice(-4) });
  for (const text of ['Nightly <build>', 'Active', 'programs:read', 'reports:read', '10.0.0.0/8', 'now']) {
    await row.getByText(text).first().waitFor();
  }

  // Rotated, the old one works on for its grace.
  await row.getByRole('button', { name: 'Rotate Nightly <build>' }).click();
  const rotating = page.getByRole('dialog', { name: 'Rotate “Nightly <build>”' });
  await rotating.getByLabel('The old key works on for').selectOption('1 hour');
  await rotating.getByRole('button', { name: 'Rotate' }).click();
  const second = await shown.getByLabel('API key').inputValue();
  assert.match(second, /^ps_[0-9A-Za-z]{38}$/);
  assert.notEqual(second, first);
  await shown.getByText(`The old key, ps_…${first.slice(-4)}, ends in 1 hour.`).waitFor();
  await shown.getByRole('button', { name: 'I have stored it' }).click();
  assert.deepEqual([await whoami(world, first), await whoami(world, second)], [200, 200]);

  // Revoked, after a question that one can say no to.
  const newer = page.getByRole('listitem').filter({ hasText: second.slice(-4) });
  await newer.getByRole('button', { name: 'Revoke Nightly <build>' }).click();
  const asking = page.getByRole('alertdialog', { name: 'Revoke “Nightly <build>”?' });
  await asking.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await whoami(world, second), 200);
  await newer.getByRole('button', { name: 'Revoke Nightly <build>' }).click();
  await asking.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('“Nightly <build>” is revoked.').waitFor();
  await newer.getByText('Revoked').first().waitFor();
  assert.equal(await newer.getByRole('button').count(), 0);
  assert.deepEqual([await whoami(world, first), await whoami(world, second)], [200, 401]);
}

async function security(world) {
  const page = await world.person();
  const email = world.address('dora');
  await page.goto('/sign-in?return_to=/settings/security');
  await page.getByRole('link', { name: 'Continue with Google' }).click();
  await beSomebody(page, email);
  await page.waitForURL((url) => url.pathname === '/settings/security');
  const [google, linkedin] = [provider(page, 'Google'), provider(page, 'LinkedIn')];
  await google.getByText(`${email}, linked now`).waitFor();

  // The last way in stays, and the page says what to do about it.
  const asking = page.getByRole('alertdialog');
  await google.getByRole('button', { name: 'Unlink Google' }).click();
  world.willRefuse(409, '/api/auth/social/google');
  await asking.getByRole('button', { name: 'Unlink' }).click();
  await asking.getByText('This is your last linked account').waitFor();
  await page.keyboard.press('Escape');

  // With another one it may go.
  await linkedin.getByRole('button', { name: 'Link LinkedIn' }).click();
  await beSomebody(page, `work-${email}`);
  await page.waitForURL((url) => url.pathname === '/settings/security');
  await page.getByText('LinkedIn is linked.').waitFor();
  await google.getByRole('button', { name: 'Unlink Google' }).click();
  await asking.getByRole('button', { name: 'Unlink' }).click();
  await page.getByText('Google is unlinked.').waitFor();
  await google.getByText('not linked').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Link Google');
  await linkedin.getByRole('button', { name: 'Link LinkedIn', exact: true }).waitFor({ state: 'hidden' });

  // Called off at the other site: told, and nothing linked.
  await google.getByRole('button', { name: 'Link Google' }).click();
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.waitForURL('**/settings/security?error=access_denied');
  await page.getByText('You called it off.').waitFor();

  // A password.
  await page.getByLabel('New password').fill('short');
  await page.getByRole('button', { name: 'Set a password' }).click();
  await page.getByText('Use 8 to 128 characters').waitFor();
  assert.equal(await focused(page), 'new');
  await page.getByLabel('New password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('Your password is set.').waitFor();
  await page.getByText('You have a password.').waitFor();
  await page.getByLabel('Current password').fill('not this one');
  await page.getByLabel('New password').fill(`${PASSWORD} staple`);
  world.willRefuse(403, '/api/auth/password');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('The current password is wrong.').waitFor();
  assert.equal(await focused(page), 'current');

  // Another browser, by that password; the first one ends it.
  const other = await world.person();
  await other.goto('/sign-in?return_to=/settings/security');
  await other.getByRole('textbox', { name: 'Email address' }).fill(email);
  await other.getByRole('button', { name: 'Use a password instead' }).click();
  assert.equal(await focused(other), 'password');
  world.willRefuse(401, '/api/auth/login');
  await other.keyboard.type('not this one');
  await other.keyboard.press('Enter');
  await other.getByText('The address or the password is wrong.').waitFor();
  assert.equal(await other.getByRole('textbox', { name: 'Email address' }).inputValue(), email);
  await other.getByLabel('Password').fill(PASSWORD);
  await other.keyboard.press('Enter');
  await other.waitForURL((url) => url.pathname === '/settings/security');
  await page.reload();
  const sessions = page.locator('#sessions').getByRole('listitem');
  await page.getByText('This one').first().waitFor();
  assert.equal(await sessions.count(), 2);
  await sessions.first().getByText('Chrome on Linux', { exact: true }).waitFor();
  await sessions.last().getByRole('button', { name: 'End (Chrome on Linux)' }).click();
  await asking.getByRole('button', { name: 'End', exact: true }).click();
  await page.getByText('The session has ended.').waitFor();
  assert.equal(await sessions.count(), 1);
  await other.reload();
  await other.waitForURL('**/sign-in?return_to=%2Fsettings%2Fsecurity');

  // All others at once, and then this one.
  const third = await world.person();
  const login = await third.context().request.post('/api/auth/login', { data: { email, password: PASSWORD } });
  assert.equal(login.status(), 200);
  await page.reload();
  await page.getByRole('button', { name: 'End all others' }).click();
  await asking.getByRole('button', { name: 'End all others' }).click();
  await page.getByText('Every other session has ended.').waitFor();
  const ended = await third.context().request.post('/api/auth/refresh');
  assert.equal(ended.status(), 401);
  await sessions.first().getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(world.base + '/');
}

async function activity(world) {
  const page = await world.person();
  const { access_token } = await world.signUp(page, world.address('busy'));
  const api = page.context().request;
  const headers = { authorization: `Bearer ${access_token}` };
  await api.post('/api/keys', { headers, data: { name: 'ci' } });
  await page.goto('/activity');
  const events = page.locator('#events').getByRole('listitem');
  await events.filter({ hasText: 'API key created' }).waitFor();
  await events.filter({ hasText: 'Account created' }).waitFor();
  assert.equal(await events.filter({ hasText: 'Session renewed' }).count(), 0);
  await page.reload();
  await page.getByLabel('Show session renewals too').check();
  await events.filter({ hasText: 'Session renewed' }).first().waitFor();
  await events.filter({ hasText: '127.0.0.0/24' }).first().waitFor();
  await page.getByRole('link', { name: 'Español' }).click();
  await events.filter({ hasText: 'Clave de API creada' }).waitFor();
  // What is another's stays there.
  const stranger = await world.person();
  await world.signUp(stranger, world.address('quiet'));
  await stranger.goto('/activity');
  await stranger.getByText('Account created').waitFor();
  assert.equal(await stranger.getByText('API key created').count(), 0);
  assert.equal((await api.get('/api/activity')).status(), 401);
}

async function looks(world) {
  const pages = {
    front: '/',
    'sign-in': '/sign-in',
    refused: '/sign-in?error=email_unverified',
    'sign-up': '/sign-up',
    try: '/dev/try',
    mailbox: '/dev/mailbox',
    docs: '/api/docs',
  };
  const inside = { home: '/', security: '/settings/security', activity: '/activity' };
  for (const [colorScheme, locale] of [['light', 'en-GB'], ['dark', 'es-ES']]) {
    const isDark = colorScheme === 'dark';
    const page = await world.person({ colorScheme, locale });
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(path);
      await world.look(page, name);
    }
    await page.goto('/api/auth/social/google');
    await world.look(page, 'stand-in');

    const email = world.address(isDark ? 'night' : 'day');
    await page.goto('/sign-up');
    await ready(page);
    await page.locator('#email').fill(email);
    await page.keyboard.press('Enter');
    await page.locator('#enter').waitFor();
    world.willRefuse(401, '/api/auth/register-magic/verify');
    const code = await world.code(email);
    await page.locator('#code').fill(code.replace(/./g, (digit) => (Number(digit) + 1) % 10));
    await page.locator('#code-error').waitFor();
    await world.look(page, 'code');
    await page.locator('#code').fill(code);
    await page.waitForURL(world.base + '/');
    for (const [name, path] of Object.entries(inside)) {
      await page.goto(path);
      await world.look(page, name);
    }

    await page.goto('/settings/api');
    await page.locator('#none').waitFor();
    await world.look(page, 'keys-none');
    for (const name of ['Nightly build', 'Ein sehr langer Name, wie ihn manche wählen, ohne Rücksicht']) {
      await page.locator('#create').click();
      await page.locator('#name').fill(name);
      await page.locator('input[value="programs:read"]').check();
      await page.locator('#addresses').fill('203.0.113.0/24 2001:db8::/32');
      if (name === 'Nightly build') await world.look(page, 'keys-create');
      await page.keyboard.press('Tab');
      await page.locator('#create-dialog .primary').click();
      await page.locator('#shown-dialog').waitFor();
      if (name === 'Nightly build') await world.look(page, 'keys-shown');
      await page.locator('#shown-dialog [data-close]').click();
    }
    await page.locator('[data-act="revoke"]').last().click();
    await world.look(page, 'keys-revoke');
    await page.locator('#revoke-dialog .filled').click();
    await page.locator('.badge.over').waitFor();
    await page.locator('[data-act="rotate"]').first().click();
    await world.look(page, 'keys-rotate');
    await page.locator('#rotate-dialog .primary').click();
    await page.locator('#shown-dialog [data-close]').click();
    await world.look(page, 'keys');
  }

  // A copy is asked about each time, and holds as long as its version does.
  const style = `${world.base}/assets/style.css`;
  const { status, headers } = await fetch(style);
  assert.deepEqual(
    [status, headers.get('content-type'), headers.get('x-content-type-options'), headers.get('cache-control')],
    [200, 'text/css; charset=utf-8', 'nosniff', 'no-cache'],
  );
  const asking = (tag) => fetch(style, { headers: { 'if-none-match': tag }, cache: 'no-store' });
  assert.equal((await asking(headers.get('etag'))).status, 304);
  assert.equal((await asking('"another"')).status, 200);

  // Whoever has switched modules off is told why nothing happens.
  const bare = await world.person({ javaScriptEnabled: false });
  for (const path of ['/', '/sign-in', '/settings/api', '/settings/security', '/activity']) {
    await bare.goto(path);
    assert.match(await bare.innerText('main'), /^These pages need JavaScript/);
  }
}

/** Until the form is listened to. */
function ready(page) {
  return page.locator('#ask-code button:enabled').waitFor();
}

function focused(page) {
  return page.evaluate(() => document.activeElement.id);
}

function provider(page, title) {
  return page.locator('#linked').getByRole('listitem').filter({ has: page.getByText(title, { exact: true }) });
}

/** Makes somebody up on the page of development's own provider. */
async function beSomebody(page, email) {
  await page.getByLabel('Somebody else').fill(email);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function whoami(world, key) {
  const answer = await fetch(`${world.base}/api/v1/whoami`, { headers: { 'x-api-key': key } });
  return answer.status;
}

async function isOnPage(page, text) {
  return page.evaluate((text) => {
    const values = [...document.querySelectorAll('input, textarea')].map(({ value }) => value);
    return [document.documentElement.outerHTML, ...values].some((part) => part.includes(text));
  }, text);
}

/** Nothing that looks like an access token lies where a later page, or another one, could find it. */
async function assertNoTokenAtRest(page) {
  const places = await page.evaluate(() =>
    [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie, location.href].join(' '),
  );
  assert.doesNotMatch(places, /eyJ/);
}
