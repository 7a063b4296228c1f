// The pictures of the README: a few pages as somebody would meet them.
import { beSomebody } from '../acts.mjs';
import { settled } from '../look.mjs';

export const widths = [1280];

const FOLDER = process.env.PS_PICTURES;
const PHONE = { viewport: { width: 375, height: 812 }, deviceScaleFactor: 2 };

export default async function pictures(world) {
  const phone = await world.person(PHONE);
  await phone.goto('/sign-in');
  await settled(phone);
  await phone.screenshot({ path: `${FOLDER}/sign-in.png` });

  const desk = await world.person();
  const { access_token } = await world.signUp(desk, 'alice@example.com');
  await makeKeys(world, desk, access_token);
  await desk.goto('/settings/api');
  await settled(desk);
  await desk.locator('#create').click();
  await desk.locator('#name').fill('Backup script');
  await desk.locator('#create-dialog .primary').click();
  await desk.locator('#shown-dialog').waitFor();
  await desk.getByRole('button', { name: 'Copy' }).click();
  await desk.getByText('Copied.').waitFor();
  await desk.screenshot({ path: `${FOLDER}/key-shown-once.png` });

  // A few hours later, so that there is something to tell of.
  await desk.clock.install({ time: Date.now() + 5 * 3_600_000 });
  await desk.goto('/settings/api');
  await settled(desk);
  await desk.screenshot({ path: `${FOLDER}/api-keys.png`, fullPage: true });

  await phone.goto('/sign-in?return_to=/settings/security');
  await phone.getByRole('link', { name: 'Continue with Google' }).click();
  await beSomebody(phone, 'bea@gmail.com');
  await phone.waitForURL((url) => url.pathname === '/settings/security');
  await settled(phone);
  await phone.screenshot({ path: `${FOLDER}/security.png` });
}

async function makeKeys(world, page, token) {
  const api = page.context().request;
  const headers = { authorization: `Bearer ${token}` };
  const make = async (data) => (await api.post('/api/keys', { headers, data })).json();
  const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const old = await make({ name: 'Old laptop', scopes: ['programs:read'], expires_at: inDays(300) });
  await api.delete(`/api/keys/${old.id}`, { headers });
  await make({ name: 'Invoice export', scopes: ['programs:read'], expires_at: inDays(5), allowed_ips: ['203.0.113.0/24'] });
  const nightly = await make({ name: 'Nightly build', scopes: ['programs:read', 'programs:write'], expires_at: inDays(90) });
  await fetch(`${world.base}/api/v1/whoami`, { headers: { 'x-api-key': nightly.key } });
}
