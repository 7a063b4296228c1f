// Settings → API: a key made, rotated and revoked.
import assert from 'node:assert/strict';
import { focused } from '../acts.mjs';

/** How far away a time is, in seconds, and what is said of it. */
const NEAR = [
  [0, 'now'],
  [59.999, 'now'],
  [60, 'in 1 minute'],
  [-3_569, '59 minutes ago'],
  [-3_571, '1 hour ago'],
  [3_599.999, 'in 1 hour'],
  [84_599, 'in 23 hours'],
  [86_399.999, 'tomorrow'],
  [-2 * 86_400, '2 days ago'],
];

export default async function api_keys(world) {
  const page = await world.person();
  await world.signUp(page, world.address('keys'));
  await page.goto('/settings/api');
  await page.getByRole('heading', { name: 'No keys yet' }).waitFor();
  assert.deepEqual(await said(page, NEAR), NEAR);

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
  const revoke = newer.getByRole('button', { name: 'Revoke Nightly <build>' });
  await revoke.click();
  const asking = page.getByRole('alertdialog', { name: 'Revoke “Nightly <build>”?' });
  await asking.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await whoami(world, second), 200);

  // The same by keys alone: the harmless answer has the focus, and Escape gives it back.
  await page.keyboard.press('Enter');
  await asking.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await page.keyboard.press('Escape');
  await asking.waitFor({ state: 'hidden' });
  assert.ok(await revoke.evaluate((button) => button === document.activeElement));
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('“Nightly <build>” is revoked.').waitFor();
  await newer.getByText('Revoked').first().waitFor();
  assert.equal(await newer.getByRole('button').count(), 0);
  assert.deepEqual([await whoami(world, first), await whoami(world, second)], [200, 401]);
}

/** The same seconds, with what the page says of them. */
async function said(page, times) {
  return page.evaluate(async (times) => {
    const { near } = await import('/assets/times.js');
    const at = (seconds) => new Date(seconds * 1000).toISOString();
    return times.map(([seconds]) => [seconds, near(at(seconds), 0)]);
  }, times);
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
