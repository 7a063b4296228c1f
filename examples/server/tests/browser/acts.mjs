// What several of them do.
import assert from 'node:assert/strict';

/** Until the form is listened to. */
export function ready(page) {
  return page.locator('#ask-code button:enabled').waitFor();
}

export function focused(page) {
  return page.evaluate(() => document.activeElement.id);
}

/** Makes somebody up on the page of development's own provider. */
export async function beSomebody(page, email) {
  await page.getByLabel('Somebody else').fill(email);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Nothing that looks like an access token lies where a later page, or another one, could find it. */
export async function assertNoTokenAtRest(page) {
  const places = await page.evaluate(() =>
    [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie, location.href].join(' '),
  );
  assert.doesNotMatch(places, /eyJ/);
}
