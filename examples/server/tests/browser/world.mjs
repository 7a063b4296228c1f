// A browser, people in front of it, and what went wrong meanwhile.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long anything may take before it counts as not happening: for the slowest of machines. */
export const PATIENCE = 30_000;

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
  #lossy = null;

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
    context.setDefaultTimeout(PATIENCE);
    this.#contexts.push(context);
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        console.error(`CSP: ${event.effectiveDirective} ${event.blockedURI}`);
      });
    });
    context.on('weberror', (event) => this.#wrong.push(event.error().stack));
    context.on('console', (message) => {
      if (message.type() === 'error') this.#hear(message.text(), message.location().url);
    });
    return context.newPage();
  }

  /** The browser itself complains of every refusal of the API: only those that are meant pass. */
  #hear(text, url) {
    const status = /^Failed to load resource: the server responded with a status of (\d+)/.exec(text);
    const path = url === '' ? '' : new URL(url).pathname;
    if (status?.[1] === '401' && path === '/api/auth/refresh') return;
    if (path === this.#lossy && text.includes('net::ERR_EMPTY_RESPONSE')) return;
    const place = this.#refused.indexOf(`${status?.[1]} ${path}`);
    if (place < 0) this.#wrong.push(`${text} ${url}`);
    else this.#refused.splice(place, 1);
  }

  /** One refusal that is to come, and that the browser will complain of. */
  willRefuse(status, path) {
    this.#refused.push(`${status} ${path}`);
  }

  /** Answers from there may get lost, and the browser complain of it. */
  mayLose(path) {
    this.#lossy = path;
  }

  async assertClean() {
    // The browser complains when it gets to it, which may be after its page has gone on.
    await eventually(() => this.#refused.length === 0);
    assert.deepEqual(this.#wrong, []);
    assert.deepEqual(this.#refused, [], 'these were to be refused');
  }

  /** What the browser complained of, and what its pages show. */
  async said() {
    const pages = this.#contexts.flatMap((context) => context.pages());
    const shown = pages.map(async (page) => `${page.url()}\n${await page.innerText('main', { timeout: 1_000 })}`);
    const read = (await Promise.allSettled(shown)).map(({ value, reason }) => value ?? `${reason}`);
    return [...this.#wrong, ...read].join('\n');
  }

  async close() {
    for (const context of this.#contexts) await context.close();
  }

  /** What was mailed to an address so far. */
  async mails(email) {
    const url = `${this.base}/dev/mailbox?to=${encodeURIComponent(email)}`;
    return (await (await fetch(url)).json()).messages;
  }

  /** The newest code that was mailed to an address, once there are so many mails. */
  async code(email, mails = 1) {
    let codes = [];
    const areIn = async () => {
      const messages = await this.mails(email);
      codes = messages.map(({ text }) => /\b\d{6,8}\b/.exec(text)?.[0]).filter(Boolean);
      return codes.length >= mails;
    };
    assert.ok(await eventually(areIn), `no mail to ${email}`);
    return codes.at(-1);
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
}

/** Whether something comes true in time. */
export async function eventually(isTrue) {
  const end = Date.now() + PATIENCE;
  while (!(await isTrue())) {
    if (Date.now() > end) return false;
    await sleep(20);
  }
  return true;
}
