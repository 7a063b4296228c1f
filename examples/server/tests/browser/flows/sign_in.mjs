// Signing up and in: by a code, in another language, by a provider.
import assert from 'node:assert/strict';
import { assertNoTokenAtRest, focused, ready } from '../acts.mjs';
import { settled } from '../look.mjs';

export default async function sign_in(world) {
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
  await settled(other);
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
  assert.match((await world.mails(email)).at(-1).text, /^Tu código para entrar en /);

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
