// The cookies that a session hangs on and a browser is known by, over HTTPS and in development mode.
import assert from 'node:assert/strict';
import { ready } from '../acts.mjs';
import { settled } from '../look.mjs';
import { Mails } from '../mails.mjs';

/** No width changes a cookie. */
export const widths = [1280];

export default async function cookies(world) {
  const mails = process.env.MAILS ? await Mails.receive(Number(process.env.MAILS)) : null;
  try {
    await walk(world, mails);
  } finally {
    mails?.close();
  }
}

async function walk(world, mails) {
  const isSecure = world.base.startsWith('https:');
  const [refresh, challenge, device] = ['refresh', 'challenge', 'device'].map(
    (name) => `${isSecure ? '__Host-' : ''}ps_${name}`,
  );
  const page = await world.person({ ignoreHTTPSErrors: true });
  // What cannot be read any more, since its page has gone on, is none; the count below notices.
  const answers = [];
  page.on('response', (response) => answers.push(response.headersArray().catch(() => [])));

  // Signing up, by a code that only the mail tells.
  const email = world.address('cookie');
  await page.goto('/sign-up?return_to=/settings/security');
  await ready(page);
  await page.locator('#email').fill(email);
  await page.keyboard.press('Enter');
  await page.locator('#enter').waitFor();
  assert.deepEqual(await held(page), { [challenge]: as(isSecure) });
  const code = await (mails ?? world).code(email);
  await page.locator('#code').fill(code);
  await page.waitForURL((url) => url.pathname === '/settings/security');
  await page.getByText('This one').waitFor();
  assert.deepEqual(await held(page), { [refresh]: as(isSecure), [device]: as(isSecure) });
  const first = await values(page);

  // A reload moves the cookie on, and no script ever sees it.
  await page.reload();
  await page.getByText('This one').waitFor();
  const second = await values(page);
  assert.notEqual(second[refresh], first[refresh]);
  assert.equal(second[device], first[device]);
  assert.equal(await page.evaluate(() => document.cookie), '');

  // Signing out clears it, and what was in it is worth nothing from then on. The browser stays known.
  // What the page reads until then would be refused.
  await settled(page);
  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await page.waitForURL(world.base + '/');
  assert.deepEqual(await held(page), { [device]: as(isSecure) });
  const { name, httpOnly, sameSite, secure } = { name: refresh, ...as(isSecure) };
  await page.context().addCookies([{ name, value: second[refresh], url: world.base, httpOnly, sameSite, secure }]);
  const again = await page.context().request.post('/api/auth/refresh');
  assert.equal(again.status(), 401);

  // No domain is ever written, so a cookie stays with its host.
  const headers = (await Promise.all(answers)).flat();
  const cookies = headers.filter(({ name }) => name.toLowerCase() === 'set-cookie');
  const written = cookies.map(({ value }) => value);
  assert.ok(written.length >= 5, written.join('\n'));
  for (const line of written) {
    assert.match(line, /; Path=\/;/);
    assert.match(line, /; HttpOnly; SameSite=Strict/);
    assert.doesNotMatch(line, /domain/i);
    assert.equal(/; Secure/.test(line) && line.startsWith('__Host-'), isSecure, line);
  }
}

/** What a cookie of ours must be like. */
function as(isSecure) {
  return { httpOnly: true, sameSite: 'Strict', path: '/', secure: isSecure };
}

/** The cookies that the browser holds, and what it knows of them. */
async function held(page) {
  const all = await page.context().cookies();
  return Object.fromEntries(
    all.map(({ name, httpOnly, sameSite, path, secure }) => [name, { httpOnly, sameSite, path, secure }]),
  );
}

/** What the browser holds in them. */
async function values(page) {
  return Object.fromEntries((await page.context().cookies()).map(({ name, value }) => [name, value]));
}
