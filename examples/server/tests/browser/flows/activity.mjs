// Activity: what happened to the account, and to nobody else.
import assert from 'node:assert/strict';

export default async function activity(world) {
  const page = await world.person();
  const { access_token } = await world.signUp(page, world.address('busy'));
  const api = page.context().request;
  const headers = { authorization: `Bearer ${access_token}` };
  await api.post('/api/keys', { headers, data: { name: 'ci' } });
  await page.goto('/activity');
  const events = page.locator('#events').getByRole('listitem');
  await events.filter({ hasText: 'API key created · ci' }).waitFor();
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
