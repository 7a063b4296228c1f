// Settings → Security: linked accounts, the password, sessions.
import assert from 'node:assert/strict';
import { beSomebody, focused } from '../acts.mjs';
import { settled } from '../look.mjs';

const PASSWORD = 'correct horse battery';

export default async function security(world) {
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
  await settled(other);
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
  await settled(page);
  await sessions.first().getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(world.base + '/');
}

function provider(page, title) {
  return page.locator('#linked').getByRole('listitem').filter({ has: page.getByText(title, { exact: true }) });
}
