// The same module against the real example server, over real sockets, in real time.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createSession } from '../index.js';
import { Storage } from '../fakes/browser.js';

const BUILT = fileURLToPath(new URL('../../../target/debug/example-server', import.meta.url));
const PROGRAM = process.env.PS_EXAMPLE_SERVER ?? BUILT;
const isMissing = !existsSync(PROGRAM);
const isRequired = process.env.PS_REQUIRE_SERVICES === '1';
const skip = isMissing && !isRequired && `no ${PROGRAM}; cargo build -p example-server`;

let server;
let base;
const folder = mkdtempSync(join(tmpdir(), 'ps-client-'));
const opened = [];

before(async () => {
  if (skip) return;
  server = spawn(PROGRAM, ['--listen', '127.0.0.1:0', '--network-limits', 'off'], {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const failing = new Promise((_, reject) => {
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`${PROGRAM} did not start`)));
  });
  base = await Promise.race([failing, listening()]);
});

after(() => {
  for (const { session } of opened) session.close();
  server?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function listening() {
  for await (const line of createInterface(server.stdout)) {
    const [, address] = /^\s*listening on\s+(\S+)/.exec(line) ?? [];
    if (address !== undefined) {
      server.stdout.resume();
      return `http://${address}`;
    }
  }
  throw new Error('it did not say where it listens');
}

/** A browser: cookies as curl keeps them, storage, and a network that may lose an answer. */
class Browser {
  cookies = new Map();
  storage = new Storage();
  sent = [];
  lose = 0;
  #turn = Promise.resolve();

  fetch = async (input, init) => {
    const request = new Request(input, init);
    request.headers.set('cookie', [...this.cookies].map((pair) => pair.join('=')).join('; '));
    request.headers.set('origin', base);
    const { pathname } = new URL(request.url);
    this.sent.push({ pathname, key: request.headers.get('idempotency-key') });
    const response = await fetch(request);
    if (pathname === '/api/auth/refresh' && this.lose > 0) {
      this.lose -= 1;
      throw new TypeError('fetch failed');
    }
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/max-age=0(;|$)/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  };

  /** Web Locks with one queue, which is all that there is of them in Node 20. */
  locks = {
    request: (_, __, work) => {
      const done = this.#turn.then(work);
      this.#turn = done.catch(() => {});
      return done;
    },
  };

  open(options = {}) {
    const { fetch, storage, locks } = this;
    const parts = { base, fetch, storage, locks, BroadcastChannel: null, ...options };
    const tab = { session: createSession(parts), events: [] };
    tab.session.subscribe((event) => tab.events.push(event));
    opened.push(tab);
    return tab;
  }

  refreshes() {
    return this.sent.filter(({ pathname }) => pathname === '/api/auth/refresh');
  }

  async post(path, body) {
    const response = await this.fetch(base + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.json();
  }

  /** The session answer of a new account whose code came by mail. */
  async signUp(email) {
    await this.post('/api/auth/register-magic', { email });
    const code = await mailedCode(email);
    return this.post('/api/auth/register-magic/verify', { code });
  }
}

async function mailedCode(email) {
  for (let looks = 0; looks < 100; looks += 1) {
    const { messages } = await (await fetch(`${base}/dev/mailbox?to=${email}`)).json();
    const [code] = /\b\d{6,8}\b/.exec(messages.at(-1)?.text ?? '') ?? [];
    if (code !== undefined) return code;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no mail to ${email}`);
}

async function statusOf({ session }) {
  return (await session.fetch('/api/auth/session')).status;
}

// SE15, SE17, SE20
test('a session of the example server, from sign-up to sign-out', { skip }, async (t) => {
  const browser = new Browser();
  const first = browser.open();

  await t.test('nobody is signed in', async () => {
    assert.equal(await first.session.accessToken(), null);
    assert.deepEqual(first.events, [{ type: 'signed_out', reason: 'refresh_invalid' }]);
  });

  await t.test('who signs up is signed in', async () => {
    first.session.adopt(await browser.signUp('alice@example.com'));
    assert.equal(first.session.account.email, 'alice@example.com');
    assert.equal(await statusOf(first), 200);
  });

  await t.test('twenty reloads at once are all signed in by the cookie', async () => {
    const tabs = Array.from({ length: 20 }, () => browser.open());
    assert.deepEqual(await Promise.all(tabs.map(statusOf)), tabs.map(() => 200));
    assert.equal(await statusOf(first), 200);
  });

  await t.test('a lost answer is asked for again by the same key', async () => {
    browser.lose = 1;
    const before = browser.refreshes().length;
    assert.ok(await first.session.refresh());
    const [lost, again] = browser.refreshes().slice(before);
    assert.equal(again.key, lost.key);
    assert.equal(await statusOf(first), 200);
  });

  await t.test('five tabs that race without lock or storage all come through', async () => {
    const alone = { storage: null, locks: null };
    const tabs = Array.from({ length: 5 }, () => browser.open(alone));
    assert.deepEqual(await Promise.all(tabs.map(statusOf)), tabs.map(() => 200));
  });

  await t.test('a refused token is renewed, and the request sent again', async () => {
    const tab = browser.open();
    await tab.session.accessToken();
    const answer = {
      access_token: 'garbled',
      expires_in: 900,
      session: { id: 'x' },
      account: { id: 'x' },
    };
    tab.session.adopt(answer);
    const response = await tab.session.fetch('/api/keys', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'ci' }),
    });
    assert.equal(response.status, 201);
    assert.equal(tab.session.account.email, 'alice@example.com');
  });

  await t.test('tabs hear of one another', async () => {
    const channel = { BroadcastChannel };
    const [one, other] = [browser.open(channel), browser.open(channel)];
    const token = await one.session.accessToken();
    const before = browser.refreshes().length;
    assert.equal(await other.session.accessToken(), token);
    assert.equal(browser.refreshes().length, before);
  });

  await t.test('signing out ends it, here and at the server', async () => {
    const token = await first.session.accessToken();
    await first.session.signOut();
    assert.equal(await first.session.accessToken(), null);
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${base}/api/auth/session`, { headers });
    assert.equal((await response.json()).code, 'session_invalid');
    const reloaded = browser.open();
    assert.equal(await reloaded.session.accessToken(), null);
    assert.deepEqual(reloaded.events, [{ type: 'signed_out', reason: 'refresh_invalid' }]);
  });

  await t.test('no token was ever in storage', () => {
    assert.doesNotMatch(browser.storage.written.join('\n'), /eyJ|ps_/);
  });
});
