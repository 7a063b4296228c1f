// Looking at a page as it stands: its width, its colours, what axe finds, and a picture if wanted.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = process.env.PS_SCREENSHOTS;

/** What else than its colours is wrong with a page does not change with them. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/**
 * At the width of a phone and of a desk, in the light and in the dark: nothing that axe calls serious
 * or critical, and no sideways scrolling.
 */
export async function look(page, name) {
  await settled(page);
  for (const width of [375, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      const lang = await page.evaluate(() => document.documentElement.lang);
      const place = `${name}-${width}-${colorScheme}-${lang}`;
      await assertFits(page, place);
      if (folder) await picture(page, `${folder}/${place}.png`);
      await assertAccessible(page, place, colorScheme === 'dark' ? OF_COLOURS : null);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Until the page has done what it does by itself: nothing says "one moment" any more. */
export async function settled(page) {
  await page.waitForFunction(() => {
    const isWaiting = /One moment…|Un momento…/.test(document.querySelector('main').innerText);
    const isDeaf = document.querySelector('main button:disabled') !== null;
    return document.documentElement.dataset.session !== 'maybe' && !isWaiting && !isDeaf;
  });
}

/** A dialog is a matter of what is on the screen; a page of all that there is. */
async function picture(page, path) {
  mkdirSync(folder, { recursive: true });
  const isCovered = (await page.locator('dialog[open]').count()) > 0;
  await page.screenshot({ path, fullPage: !isCovered });
}

async function assertFits(page, place) {
  const overflow = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  assert.equal(overflow, 0, `${place} is ${overflow} px too wide`);
}

async function assertAccessible(page, place, runOnly) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const options = { resultTypes: ['violations'], ...(runOnly && { runOnly }) };
  const { violations } = await page.evaluate((options) => globalThis.axe.run(options), options);
  const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const told = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  assert.deepEqual(told, [], place);
}
