// Many tabs over many expiries, with everything going wrong that a browser and a network can do.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Browser, ORIGIN } from '../fakes/browser.js';
import { Time } from '../fakes/clock.js';
import { Dice } from '../fakes/dice.js';
import { Server } from '../fakes/server.js';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const LIFE = 900 * SECOND;
const ROUNDS = 100;

const BROWSERS = [
  {},
  { locks: false },
  { channel: false },
  { locks: false, channel: false },
  { storage: false },
];

// SE15, SE17
for (const has of BROWSERS) {
  const without = Object.keys(has).join(' and ') || 'nothing';
  test(`nobody is signed out in a browser without ${without}`, async () => {
    let faults = 0;
    for (let seed = 1; seed <= ROUNDS / BROWSERS.length; seed += 1) {
      faults += await round(has, seed * 7919 + without.length);
    }
    // A storm that has become a calm would prove nothing.
    assert.ok(faults > ROUNDS, `${faults} faults`);
  });
}

async function round(has, seed) {
  const dice = new Dice(seed);
  const time = new Time();
  const server = new Server(time);
  const browser = new Browser(time, server, dice, has);
  browser.jar = server.signIn().cookie;
  const storm = new Storm(browser);
  browser.weather = (record) => storm.over(record);
  const count = seed % 2 === 0 ? 1 + dice.below(4) : 20;
  for (let tabs = 0; tabs < count; tabs += 1) browser.open();
  while (time.at < 1.5 * HOUR) {
    await time.pass((5 + dice.below(120)) * SECOND);
    storm.strike();
  }
  storm.isOver = true;
  await time.pass(LIFE);

  const about = `seed ${seed}, ${JSON.stringify(has)}`;
  assert.equal(server.replays, 0, `replays: ${about}`);
  assert.ok(server.isAlive('s1'), `alive: ${about}`);
  for (const tab of browser.tabs) {
    assert.equal(tab.signedOut, undefined, about);
    const response = await time.until(tab.session.fetch('/api/auth/session'));
    assert.equal(response.status, 200, about);
  }
  assertSpaced(server, browser, storm, time, about);
  assertNoTokenLeft(browser, about);
  return storm.faults;
}

/** One rotation an expiry for the group, where its tabs can talk; else one a tab. */
function assertSpaced(server, browser, storm, time, about) {
  const expiries = Math.ceil(time.at / (0.8 * LIFE)) + 1;
  const each = browser.has.channel ? 1 : browser.tabs.length;
  const most = expiries * each + storm.faults + storm.births;
  assert.ok(server.rotations.length <= most, `${server.rotations.length} of ${most}: ${about}`);
  for (const tab of new Set(browser.requests.map((request) => request.tab))) {
    const sent = browser.requests.filter((r) => r.tab === tab && r.key !== null);
    sent.forEach(({ at }, i) => {
      assert.ok(!(sent[i + 8]?.at - at < 60 * SECOND), `nine in a minute: ${about}`);
    });
  }
}

// SE25
function assertNoTokenLeft(browser, about) {
  for (const text of browser.storage.written) {
    assert.doesNotMatch(text, /(at|rt)\.s\d/, about);
    assert.match(text, /^ps-client \S+ (turn=\d+ (-|[0-9a-f]{32}( again)?)|lock=\d+ [0-9a-f]{32})$/, about);
  }
}

class Storm {
  faults = 0;
  /** Tabs opened in the middle, which may find nobody to ask. */
  births = 0;
  /** Those that were opened in the place of a dead one. */
  heirs = new Set();
  isOver = false;

  constructor(browser) {
    Object.assign(this, browser);
    this.browser = browser;
  }

  /** What meets a request. */
  over(record) {
    const { dice } = this;
    if (this.isOver) return {};
    const weather = { delay: 5 + dice.below(1000), back: 5 + dice.below(1000) };
    if (record.pathname !== '/api/auth/refresh') return weather;
    if (dice.happens(0.1)) {
      weather.before = this.fault(['lost', 'hang', UNAVAILABLE]);
    } else if (dice.happens(0.15) && this.browser.has.storage) {
      weather.after = (answer, { key }) => this.losing(answer, key);
    } else if (dice.happens(0.05)) {
      weather.garble = this.fault([true]);
    }
    // Whoever reloads a page that hangs does so again.
    const mortality = this.heirs.has(record.tab) ? 0.5 : 0.1;
    if (dice.happens(mortality)) this.killLater(record.tab, weather.delay + weather.back);
    return weather;
  }

  /**
   * A key that a dead tab left behind, whose cookie had arrived, is sent for a second rotation: nobody
   * can tell. The table then repeats no answer, so losing this one too would be one fault too many.
   */
  losing(answer, key) {
    const last = this.server.rotations.at(-1);
    if (last?.constant && last.key === key) return null;
    return this.fault(['lost', 'hang', UNAVAILABLE]);
  }

  fault(kinds) {
    this.faults += 1;
    return kinds[this.dice.below(kinds.length)];
  }

  /** A tab dies in the middle of its refresh, holding the lock. */
  killLater(tab, within) {
    this.faults += 1;
    this.time.after(this.dice.below(within), () => {
      if (!tab.isAlive) return;
      this.births += 1;
      const heir = this.browser.reload(tab);
      // Without storage it cannot know that a request is under way, nor keep from overtaking it.
      if (!this.browser.has.storage) return;
      this.heirs.add(heir);
      heir.session.accessToken().catch(() => {});
    });
  }

  /** What people and machines do from time to time. */
  strike() {
    const { browser, dice, time } = this;
    const tab = browser.tabs[dice.below(browser.tabs.length)];
    switch (dice.below(8)) {
      case 0:
        this.births += 1;
        browser.reload(tab).session.accessToken().catch(() => {});
        break;
      case 1:
        // The wall clock is put on, or back; not while a key is out, whose age it is that counts.
        if (/turn=\d+ \w/.test(browser.storage.text())) break;
        this.faults += 1;
        time.wall += (dice.below(7200) - 3600) * SECOND;
        break;
      case 2:
        this.faults += 1;
        tab.session.refresh().catch(() => {});
        break;
      default:
        tab.session.fetch(`${ORIGIN}/api/auth/session`).catch(() => {});
    }
  }
}

const UNAVAILABLE = {
  status: 503,
  body: { error: 'Not now.', code: 'unavailable' },
  headers: { 'retry-after': '1' },
};
