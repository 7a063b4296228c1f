import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Storage } from '../fakes/browser.js';
import { Time } from '../fakes/clock.js';
import { Dice } from '../fakes/dice.js';
import { signedIn } from '../fakes/world.js';
import { judge } from '../lib/judge.js';
import { rotationKey } from '../lib/key.js';
import { PATIENCE, turns } from '../lib/lock.js';

const ANSWER = {
  access_token: 'x',
  expires_in: 900,
  session: { id: 's' },
  account: { id: 'a' },
};

test('an answer is worth what its status and code say', () => {
  const table = [
    [200, undefined, ANSWER, 'carried_on'],
    [200, undefined, { ...ANSWER, expires_in: 0 }, 'later'],
    [200, undefined, null, 'later'],
    [401, 'refresh_invalid', {}, 'over'],
    [401, 'refresh_unreadable', {}, 'unreadable'],
    [401, 'refresh_superseded', {}, 'superseded'],
    [401, 'session_invalid', {}, 'refused'],
    [401, 'toString', {}, 'refused'],
    [403, 'refresh_invalid', {}, 'refused'],
    [404, 'not_found', {}, 'refused'],
    [429, 'rate_limited', {}, 'later'],
    [500, 'refresh_invalid', {}, 'later'],
    [503, 'unavailable', {}, 'later'],
    [0, 'network', null, 'later'],
  ];
  for (const [status, code, body, verdict] of table) {
    assert.equal(judge({ status, code, body }), verdict, `${status} ${code}`);
  }
});

function parts() {
  const time = new Time();
  return { time, clock: time.clock(), random: new Dice(1).bytes(), storage: new Storage() };
}

test('a key is 128 random bits, written before it is sent, gone when answered', () => {
  const world = parts();
  const key = rotationKey('place', world);
  const name = key.take();
  assert.match(name, /^[0-9a-f]{32}$/);
  assert.match(world.storage.text(), new RegExp(name));
  key.settle('another');
  assert.equal(rotationKey('place', world).take(), name);
  key.settle(name);
  assert.notEqual(key.take(), name);
});

test('a key that was taken over leaves a moment of calm behind, not itself', async () => {
  const world = parts();
  const name = rotationKey('place', world).take();
  const heir = rotationKey('place', world);
  assert.equal(heir.take(), name);
  heir.settle(name);
  assert.doesNotMatch(world.storage.text(), new RegExp(name));
  assert.ok(heir.calm() > 0 && heir.calm() <= 3000);
  await world.time.pass(3000);
  assert.equal(heir.calm(), 0);
  world.time.wall -= 3_600_000;
  assert.equal(heir.calm(), 0);
});

test('a key is sent a second time at once, and a third time after a moment of calm', async () => {
  const world = parts();
  const [first, second, third] = [1, 2, 3].map(() => rotationKey('place', world));
  const name = first.take();
  assert.equal(second.calm(), 0);
  assert.equal(second.take(), name);
  for (const heir of [first, third]) assert.equal(heir.calm(), 3000);
  await world.time.pass(3000);
  assert.equal(third.calm(), 0);
  assert.equal(third.take(), name);
  assert.equal(first.calm(), 3000);
  // The answer to the first is in, which knew of no other.
  first.settle(name);
  assert.equal(second.calm(), 3000);
  assert.notEqual(second.take(), name);
  assert.equal(third.calm(), 0);
});

test('what stands in the place of a key and is none is not sent', () => {
  const world = parts();
  for (const text of ['', 'x', '1700000000000 short', '1 \r\nx-injected: 1', `NaN ${'a'.repeat(32)}`]) {
    world.storage.setItem('place', text);
    assert.match(rotationKey('place', world).take(), /^[0-9a-f]{32}$/);
    assert.doesNotMatch(world.storage.text(), /short|inject|NaN/);
  }
});

/** What happens first where two want a turn. */
async function overlap(world, first, second) {
  const log = [];
  const work = (who) => async () => {
    log.push(`${who} in`);
    await world.time.sleep(500);
    log.push(`${who} out`);
  };
  await world.time.until(Promise.all([first(work('a')), second(work('b'))]));
  return log;
}

test('a lease lets one in at a time', async () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const world = { ...parts(), random: new Dice(seed).bytes() };
    const log = await overlap(world, turns('place', world), turns('place', world));
    assert.equal(log[0][0], log[1][0], `${log}`);
    assert.equal(world.storage.text(), '');
  }
});

test('of two that find the lease free at once the last to write has it', async () => {
  const world = parts();
  let stale = 2;
  const { storage } = world;
  const getItem = storage.getItem.bind(storage);
  storage.getItem = (place) => {
    stale -= 1;
    return stale >= 0 ? null : getItem(place);
  };
  const log = await overlap(world, turns('place', world), turns('place', world));
  assert.deepEqual(log, ['b in', 'b out', 'a in', 'a out']);
});

test('a lease of a dead tab runs out, and one of another time counts for nothing', async () => {
  const world = parts();
  const dead = turns('place', world);
  dead(() => new Promise(() => {}));
  await world.time.pass(100);
  const before = world.time.at;
  await world.time.until(turns('place', world)(async () => {}));
  assert.ok(world.time.at - before <= PATIENCE + 200, `${world.time.at - before}`);

  world.storage.setItem('place', `${world.clock.now() + 86_400_000} ghost`);
  const then = world.time.at;
  await world.time.until(turns('place', world)(async () => {}));
  assert.ok(world.time.at - then < 1000);
});

test('a lock that is never let go keeps nobody out for good', async () => {
  const world = parts();
  const hung = {
    request: (_, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const turn = turns('place', { ...world, locks: hung });
  assert.equal(await world.time.until(turn(async () => 'in')), 'in');
  assert.equal(world.time.at, PATIENCE);
});

test('work that fails under a lock fails once', async () => {
  const { browser, time } = signedIn();
  const world = { ...parts(), clock: time.clock(), locks: browser.locksFor(browser.open()) };
  let runs = 0;
  const failing = turns('place', world)(async () => {
    runs += 1;
    throw new Error('in the work');
  });
  await assert.rejects(time.until(failing), /in the work/);
  assert.equal(runs, 1);
});

test('the refresh outlives its page, except to another origin', async (t) => {
  t.after(() => delete globalThis.location);
  for (const [origin, keepalive] of [
    ['https://app.example', true],
    ['https://www.app.example', false],
  ]) {
    globalThis.location = { origin };
    const { time, browser } = signedIn();
    const seen = [];
    const send = browser.send.bind(browser);
    browser.send = (tab, request) => {
      seen.push(request.keepalive);
      return send(tab, request);
    };
    await time.until(browser.open().session.accessToken());
    assert.deepEqual(seen, [keepalive]);
  }
});
