// Signing in while the page's first question, who is signed in, is still unanswered: the answer, that
// nobody is, clears the cookie, and must not come behind the one that signing in brings.
import assert from 'node:assert/strict';
import { beSomebody, ready } from '../acts.mjs';
import { Way } from '../way.mjs';
import { eventually } from '../world.mjs';

/** It is about time, not about width. */
export const widths = [1280];

export default async function late_answers(world) {
  const way = await Way.lay(Number(process.env.WAY), process.env.UPSTREAM);
  try {
    for (const signIn of [byCode, byProvider]) await staysSignedIn(world, way, signIn);
  } finally {
    way.close();
  }
}

async function staysSignedIn(world, way, signIn) {
  const page = await world.person();
  way.delay = 3_000;
  await page.goto('/sign-up?return_to=/settings/security');
  await ready(page);
  assert.ok(await eventually(() => way.underWay > 0), 'the page asks');
  way.delay = 0;
  await signIn(world, page);
  await page.getByText('This one').waitFor();
  assert.ok(await eventually(() => way.underWay === 0), 'its question is answered');
  await page.reload();
  await page.getByText('This one').waitFor();
}

async function byCode(world, page) {
  const email = world.address('late');
  await page.locator('#email').fill(email);
  await page.keyboard.press('Enter');
  await page.locator('#enter').waitFor();
  await page.locator('#code').fill(await world.code(email));
}

async function byProvider(world, page) {
  await page.getByRole('link', { name: 'Continue with Google' }).click();
  await beSomebody(page, world.address('later'));
}
