// How every page looks, to eyes and to axe: in both languages, with short words and long ones.
import assert from 'node:assert/strict';
import { ready } from '../acts.mjs';
import { look } from '../look.mjs';

/** A look is at every width. */
export const widths = [1280];

const OUTSIDE = {
  front: '/',
  'sign-in': '/sign-in',
  refused: '/sign-in?error=email_unverified',
};

/** These are in English, whatever the person speaks. */
const DEVELOPMENT = {
  try: '/dev/try',
  docs: '/api/docs',
  'stand-in': '/api/auth/social/google',
};

const LONG = 'A very long name, as some people choose them without any mercy';
const PHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1';
const PASSWORD = 'correct horse battery';

export default async function looks(world) {
  for (const locale of ['en-GB', 'es-ES']) {
    const page = await world.person({ locale });
    for (const [name, path] of Object.entries(OUTSIDE)) {
      await page.goto(path);
      await look(page, name);
    }
    await page.goto('/sign-in');
    await page.locator('#use-password').click();
    await look(page, 'sign-in-password');
    const email = world.address(`a-person-with-quite-a-long-address-${locale.slice(0, 2)}`);
    await signUp(world, page, email);
    await look(page, 'home');
    await keys(page);
    await security(world, page, email);
    await page.goto('/activity');
    await look(page, 'activity');
  }
  const developer = await world.person();
  await developer.goto('/dev/mailbox');
  await look(developer, 'mailbox');
  for (const [name, path] of Object.entries(DEVELOPMENT)) {
    await developer.goto(path);
    await look(developer, name);
  }
  await assertCopiesAreAskedAbout(world);
  await assertToldWithoutModules(world);
}

async function signUp(world, page, email) {
  await page.goto('/sign-up');
  await ready(page);
  await look(page, 'sign-up');
  await page.locator('#email').fill('nobody');
  world.willRefuse(400, '/api/auth/register-magic');
  await page.keyboard.press('Enter');
  await page.locator('#email-error').waitFor();
  await look(page, 'sign-up-error');
  await page.locator('#email').fill(email);
  await page.keyboard.press('Enter');
  await page.locator('#enter').waitFor();
  world.willRefuse(401, '/api/auth/register-magic/verify');
  const code = await world.code(email);
  await page.locator('#code').fill(code.replace(/./g, (digit) => (Number(digit) + 1) % 10));
  await page.locator('#code-error').waitFor();
  await look(page, 'code');
  await page.locator('#code').fill(code);
  await page.waitForURL(world.base + '/');
}

async function keys(page) {
  await page.goto('/settings/api');
  await page.locator('#none').waitFor();
  await look(page, 'keys-none');
  for (const name of ['Nightly build', LONG]) {
    await page.locator('#create').click();
    await page.locator('#name').fill(name);
    await page.locator('input[value="programs:read"]').check();
    if (name === LONG) await page.locator('#scopes').fill('reports:read invoices:write.everything-there-is');
    await page.locator('#addresses').fill('203.0.113.0/24 2001:db8::/32');
    if (name !== LONG) await look(page, 'keys-create');
    await page.locator('#create-dialog .primary').click();
    await page.locator('#shown-dialog').waitFor();
    if (name !== LONG) await look(page, 'keys-shown');
    await page.locator('#shown-dialog [data-close]').click();
  }
  await page.locator('[data-act="revoke"]').last().click();
  await look(page, 'keys-revoke');
  await page.locator('#revoke-dialog .filled').click();
  await page.locator('.badge.over').waitFor();
  await look(page, 'keys-told');
  await page.locator('[data-act="rotate"]').first().click();
  await look(page, 'keys-rotate');
  await page.locator('#rotate-dialog .primary').click();
  await page.locator('#shown-dialog').waitFor();
  await look(page, 'keys-rotated');
  await page.locator('#shown-dialog [data-close]').click();
  await look(page, 'keys');
}

async function security(world, page, email) {
  await page.goto('/settings/security');
  await look(page, 'security-new');
  await page.locator('[data-provider="google"] [data-act="link"]').click();
  await page.locator('input[type="email"]').fill(email);
  await page.locator('main form button').click();
  await page.waitForURL((url) => url.pathname === '/settings/security');
  await page.locator('[data-provider="google"] [data-act="unlink"]').click();
  world.willRefuse(409, '/api/auth/social/google');
  await page.locator('#confirm-action').click();
  await page.locator('#confirm .error').waitFor();
  await look(page, 'security-last');
  await page.locator('#confirm [data-close]').click();
  await page.locator('#new').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('#current').waitFor();
  const login = await fetch(`${world.base}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': PHONE },
    body: JSON.stringify({ email, password: PASSWORD }),
  });
  assert.equal(login.status, 200);
  await page.reload();
  await look(page, 'security');
  await page.locator('#end-others').click();
  await look(page, 'security-end');
}

/** A copy is asked about each time, and holds as long as its version does. */
async function assertCopiesAreAskedAbout(world) {
  const style = `${world.base}/assets/style.css`;
  const { status, headers } = await fetch(style);
  assert.deepEqual(
    [status, headers.get('content-type'), headers.get('x-content-type-options'), headers.get('cache-control')],
    [200, 'text/css; charset=utf-8', 'nosniff', 'no-cache'],
  );
  const asking = (tag) => fetch(style, { headers: { 'if-none-match': tag }, cache: 'no-store' });
  assert.equal((await asking(headers.get('etag'))).status, 304);
  assert.equal((await asking('"another"')).status, 200);
}

/** Whoever has switched modules off is told why nothing happens. */
async function assertToldWithoutModules(world) {
  const bare = await world.person({ javaScriptEnabled: false });
  for (const path of ['/', '/sign-in', '/settings/api', '/settings/security', '/activity']) {
    await bare.goto(path);
    assert.match(await bare.innerText('main'), /^These pages need JavaScript/);
  }
}
