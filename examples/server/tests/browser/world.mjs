// A browser, somebody in front of it, and what went wrong meanwhile.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = process.env.PS_SCREENSHOTS;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launch() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
  });
  return {
    world: (base, width) => new World(browser, base, width),
    close: () => browser.close(),
  };
}

class World {
  #browser;
  #contexts = [];
  #wrong = [];
  #refused = [];

  constructor(browser, base, width) {
    this.#browser = browser;
    this.base = base;
    this.width = width;
  }

  /** An address that nobody has had before. */
  address(name) {
    return `${name}-${Date.now().toString(36)}@gmail.com`;
  }

  /** A browser of its own, with one page. */
  async person(options = {}) {
    const context = await this.#browser.newContext({
      baseURL: this.base,
      viewport: { width: this.width, height: 800 },
      locale: 'en-GB',
      permissions: ['clipboard-read', 'clipboard-write'],
      reducedMotion: 'reduce',
      ...options,
    });
    context.setDefaultTimeout(10_000);
    this.#contexts.push(context);
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        console.error(`CSP: ${event.effectiveDirective} ${event.blockedURI}`);
      });
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => this.#wrong.push(`${page.url()}: ${error.stack}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.#hear(message.text(), message.location().url);
    });
    return page;
  }

  /** The browser itself complains of every refusal of the API: only those that are meant pass. */
  #hear(text, url) {
    const status = /^Failed to load resource: the server responded with a status of (\d+)/.exec(text);
    const path = url === '' ? '' : new URL(url).pathname;
    if (status?.[1] === '401' && path === '/api/auth/refresh') return;
    const place = this.#refused.indexOf(`${status?.[1]} ${path}`);
    if (place < 0) this.#wrong.push(`${text} ${url}`);
    else this.#refused.splice(place, 1);
  }

  /** One refusal that is to come, and that the browser will complain of. */
  willRefuse(status, path) {
    this.#refused.push(`${status} ${path}`);
  }

  assertClean() {
    assert.deepEqual(this.#wrong, []);
    assert.deepEqual(this.#refused, [], 'these were to be refused');
  }

  /** What the browser complained of, and what its pages show. */
  async said() {
    const pages = this.#contexts.flatMap((context) => context.pages());
    const shown = pages.map(async (page) => `${page.url()}\n${await page.innerText('main')}`);
    const read = (await Promise.allSettled(shown)).map(({ value, reason }) => value ?? `${reason}`);
    return [...this.#wrong, ...read].join('\n');
  }

  async close() {
    for (const context of this.#contexts) await context.close();
  }

  /** The newest code that was mailed to an address, once there are so many mails. */
  async code(email, mails = 1) {
    const url = `${this.base}/dev/mailbox?to=${encodeURIComponent(email)}`;
    for (let tries = 0; tries < 200; tries += 1) {
      const { messages } = await (await fetch(url)).json();
      const codes = messages.map(({ text }) => /\b\d{6,8}\b/.exec(text)?.[0]).filter(Boolean);
      if (codes.length >= mails) return codes.at(-1);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`no mail to ${email}`);
  }

  /** An account and its session in this browser, by the API. The answer holds the access token. */
  async signUp(page, email) {
    const api = page.context().request;
    await api.post('/api/auth/register-magic', { data: { email } });
    const code = await this.code(email);
    const answer = await api.post('/api/auth/register-magic/verify', { data: { email, code } });
    assert.equal(answer.status(), 201);
    return answer.json();
  }

  /** Nothing that axe calls serious or critical, no sideways scrolling, and a picture if wanted. */
  async look(page, name) {
    await page.waitForLoadState('networkidle');
    const { scheme, lang, overflow } = await page.evaluate(() => ({
      scheme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
      lang: document.documentElement.lang,
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    }));
    if (folder) {
      mkdirSync(folder, { recursive: true });
      const path = `${folder}/${name}-${this.width}-${scheme}-${lang}.png`;
      await page.screenshot({ path, fullPage: true });
    }
    assert.equal(overflow, 0, `${name} is ${overflow} px too wide (${scheme}, ${lang})`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
    const told = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    assert.deepEqual(told, [], `${name} (${scheme}, ${lang})`);
  }
}
