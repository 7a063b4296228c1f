import { createSession } from '../index.js';

export const ORIGIN = 'https://app.example';

/**
 * One browser: a cookie jar, storage, locks and channels that its tabs share, and a network between it
 * and the server. Whatever a dead tab waits for never comes, nor what was called off; what was sent
 * reaches the server all the same, and only with `keepalive` the cookie of the answer reaches the jar.
 */
export class Browser {
  jar = '';
  storage = new Storage();
  #locks = new Locks();
  #channels = new Set();
  tabs = [];
  /** Every request: `{ tab, url, bearer, key, cookie, … }`. */
  requests = [];
  /** What becomes of a request: `{ delay, before, after, back }`, times in milliseconds. */
  weather = () => ({});

  constructor(time, server, dice, { locks = true, storage = true, channel = true } = {}) {
    Object.assign(this, { time, server, dice });
    this.has = { locks, storage, channel };
  }

  open(options = {}) {
    const tab = new Tab(this, options);
    this.tabs.push(tab);
    return tab;
  }

  /** Whatever the tab is doing ends in the middle. */
  kill(tab) {
    tab.isAlive = false;
    this.tabs = this.tabs.filter((other) => other !== tab);
    this.#locks.leave(tab);
  }

  reload(tab) {
    this.kill(tab);
    return this.open(tab.options);
  }

  locksFor(tab) {
    return this.has.locks ? this.#locks.of(tab) : null;
  }

  channelFor(tab) {
    if (!this.has.channel) return null;
    const { time } = this;
    const channels = this.#channels;
    return class {
      onmessage = null;

      constructor(name) {
        this.name = name;
        this.tab = tab;
        channels.add(this);
      }

      postMessage(message) {
        const data = structuredClone(message);
        time.after(2, () => {
          for (const other of channels) {
            if (!other.tab.isAlive) channels.delete(other);
            else if (other !== this && other.name === this.name) other.onmessage?.({ data });
          }
        });
      }

      close() {
        channels.delete(this);
      }
    };
  }

  /** A request of `tab`, and its answer as far as `weather` lets them through. */
  async send(tab, request) {
    const { signal, keepalive } = request;
    const { pathname, origin } = new URL(request.url);
    const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    const body = request.body === null ? '' : await request.text();
    const record = {
      tab,
      at: this.time.at,
      url: request.url,
      pathname,
      origin,
      bearer,
      body,
      key: request.headers.get('idempotency-key'),
      cookie: this.jar,
      generation: null,
    };
    this.requests.push(record);
    const weather = { delay: 20, back: 20, before: null, after: null, ...this.weather(record) };
    const isOn = () => keepalive || (!signal.aborted && tab.isAlive);
    const answering = this.#travel(record, weather, isOn);
    return new Promise((resolve, reject) => {
      const abort = () => tab.isAlive && reject(new DOMException('Aborted.', 'AbortError'));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort);
      answering.then(
        (answer) => tab.isAlive && resolve(answer),
        (error) => tab.isAlive && reject(error),
      );
    });
  }

  async #travel(record, { delay, back, before, after, garble }, isOn) {
    await this.time.sleep(delay);
    if (before === 'lost') throw new TypeError('fetch failed');
    if (before === 'hang') return new Promise(() => {});
    if (typeof before === 'object' && before !== null) return response(before);
    const answer = this.#serve(record);
    const lost = typeof after === 'function' ? after(answer, record) : after;
    await this.time.sleep(back);
    if (lost === 'lost') throw new TypeError('fetch failed');
    if (lost === 'hang') return new Promise(() => {});
    if (typeof lost === 'object' && lost !== null) return response(lost);
    // Chromium lets a request with `keepalive` run on even where it was called off.
    if (isOn() && answer.cookie !== undefined) this.jar = answer.cookie;
    return garble ? new Response('{"acc', { status: answer.status }) : response(answer);
  }

  #serve(record) {
    if (record.origin !== ORIGIN) return { status: 200, body: {} };
    if (record.pathname === '/api/auth/refresh') return this.server.refresh(record.cookie, record.key);
    if (record.pathname === '/api/auth/logout') return this.server.logout(record.cookie, record.bearer);
    return this.server.read(record.bearer);
  }
}

class Tab {
  isAlive = true;
  events = [];

  constructor(browser, options) {
    this.options = options;
    const { dice, time } = browser;
    this.session = createSession({
      base: ORIGIN,
      fetch: (input, init) => browser.send(this, new Request(input, init)),
      storage: browser.has.storage ? browser.storage : null,
      locks: browser.locksFor(this),
      BroadcastChannel: browser.channelFor(this),
      clock: time.clock(() => this.isAlive),
      random: dice.bytes(),
      ...options,
    });
    this.session.subscribe((event) => this.events.push(event));
  }

  /** Why this tab was told that the session is over, if it was. */
  get signedOut() {
    return this.events.find((event) => event.type === 'signed_out')?.reason;
  }
}

/** `localStorage`, and all that was ever written to it. */
export class Storage {
  #items = new Map();
  written = [];

  getItem(place) {
    return this.#items.get(place) ?? null;
  }

  setItem(place, text) {
    this.written.push(`${place}=${text}`);
    this.#items.set(place, String(text));
  }

  removeItem(place) {
    this.#items.delete(place);
  }

  /** All of it, a line each. */
  text() {
    return [...this.#items].map(([place, text]) => `${place}=${text}`).join('\n');
  }
}

/** Web Locks, exclusive ones only. */
class Locks {
  #queues = new Map();

  of(tab) {
    return { request: (name, { signal }, work) => this.#request(tab, name, signal, work) };
  }

  #request(tab, name, signal, work) {
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const place = { tab, isHeld: false };
      place.start = () => {
        place.isHeld = true;
        const done = () => {
          this.#remove(queue, place);
        };
        Promise.resolve().then(work).finally(done).then(resolve, reject);
      };
      signal.addEventListener('abort', () => {
        if (place.isHeld || !queue.includes(place)) return;
        this.#remove(queue, place);
        reject(signal.reason);
      });
      queue.push(place);
      this.#grant(queue);
    });
  }

  leave(tab) {
    for (const queue of this.#queues.values()) {
      for (const place of queue.filter((each) => each.tab === tab)) this.#remove(queue, place);
    }
  }

  #remove(queue, place) {
    const at = queue.indexOf(place);
    if (at >= 0) queue.splice(at, 1);
    this.#grant(queue);
  }

  #grant(queue) {
    if (queue.length > 0 && !queue[0].isHeld) queue[0].start();
  }
}

function response({ status, body, headers }) {
  return status === 204 ? new Response(null, { status }) : Response.json(body, { status, headers });
}
