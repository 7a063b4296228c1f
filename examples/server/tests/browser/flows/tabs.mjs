// Twenty tabs of one browser over the end of access token after access token, some of them reloaded
// in the middle, and with answers of the server that get lost: nobody is signed out.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { settled } from '../look.mjs';
import { REFRESH, Way } from '../way.mjs';
import { PATIENCE, eventually } from '../world.mjs';

/** It is about time, not about width. */
export const widths = [1280];

const TABS = 20;
const ROUNDS = Number(process.env.PS_ROUNDS ?? 10);
const MINUTE = 60_000;
const STEP = 20_000;
/** For how long what a page has sent may take to arrive once the page is gone, in milliseconds. */
const STRAGGLING = 3_000;

export default async function tabs(world) {
  const way = await Way.lay(Number(process.env.WAY), process.env.UPSTREAM);
  try {
    await rounds(world, way);
  } finally {
    way.close();
  }
}

async function rounds(world, way) {
  const first = await world.person();
  const context = first.context();
  // The pages' clock, not the server's: it is what makes a tab believe that its token has run out.
  await context.clock.install();
  await world.signUp(first, world.address('tabs'));
  const pages = [first];
  while (pages.length < TABS) pages.push(await context.newPage());
  for (const page of pages) await open(page);
  way.refreshes.length = 0;
  world.mayLose(REFRESH);
  const asks = new Asks(context, way);

  let reloads = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const before = await Promise.all(pages.map(token));
    // Every second answer is lost, every sixth twice over; and some take their time.
    way.toLose = round % 6 === 0 ? 2 : round % 2;
    way.delay = 100 * (round % 4);
    const next = asks.next();
    let passed = 0;
    const pass = async (time) => {
      await context.clock.fastForward(time);
      passed += time;
    };
    if (round % 3 === 0) {
      // A laptop was shut long past the end of the token, and every tab wants one at once.
      await pass(30 * MINUTE);
      for (const page of pages) token(page).catch(() => {});
    }
    // Else a tab asks by itself, ahead of the end. No time flies while one is about to.
    let asking = null;
    while (asking === null && passed < 20 * MINUTE) {
      await pass(passed < 11 * MINUTE ? MINUTE : STEP);
      asking = await Promise.race([next, calm(pages, asks)]);
    }
    asking ??= await Promise.race([next, sleep(PATIENCE, null, { ref: false })]);
    assert.ok(asking, `nobody asks in round ${round}`);
    // The tab that is asking is reloaded while its answer is under way, and two others with it.
    const others = pages.filter((page) => page !== asking);
    const reloaded = [asking, others[(7 * round) % others.length], others[(7 * round + 3) % others.length]];
    await Promise.all(reloaded.map((page) => reload(page)));
    reloads += reloaded.length;
    // On past the end of the token that each had, and no answer is given up because time flies here.
    while (passed < 16 * MINUTE) {
      await calm(pages, asks);
      await pass(STEP);
    }
    await calm(pages, asks);
    const after = await Promise.all(pages.map(token));
    for (const [tab, text] of after.entries()) {
      assert.ok(text, `tab ${tab} is signed out in round ${round}`);
      assert.notEqual(text, before[tab], `tab ${tab} has its old token in round ${round}`);
    }
    assert.deepEqual(await Promise.all(pages.map(answer)), Array(TABS).fill(200), `round ${round}`);
  }

  const count = (isOne) => way.refreshes.filter(isOne).length;
  const keys = new Set(way.refreshes.map(({ key }) => key)).size;
  const signOuts = count(({ status, code }) => status === 401 && code !== 'refresh_superseded');
  const figures = {
    rounds: ROUNDS,
    tabs: TABS,
    reloads,
    refreshes: keys,
    retries: way.refreshes.length - keys,
    lost: count(({ isLost }) => isLost),
    superseded: count(({ code }) => code === 'refresh_superseded'),
    'sign-outs': signOuts,
  };
  console.log(Object.entries(figures).map(([name, value]) => `${value} ${name}`).join(', '));
  assert.equal(signOuts, 0);
  assert.equal(figures.lost, Math.ceil(ROUNDS / 2) + 2 * Math.floor(ROUNDS / 6));
  assert.ok(figures.refreshes >= ROUNDS && figures.retries >= figures.lost, 'a calm proves nothing');
  for (const page of pages) assert.equal(new URL(page.url()).pathname, '/activity');
}

/** The refreshes that the browser sends, as it tells of them. */
class Asks {
  #way;
  #sent = 0;
  #last = 0;
  #arrivedBefore;
  #hear = () => {};

  constructor(context, way) {
    this.#way = way;
    this.#arrivedBefore = way.arrived;
    context.on('request', (request) => {
      if (!request.url().endsWith(REFRESH)) return;
      this.#sent += 1;
      this.#last = Date.now();
      this.#hear(request.frame().page());
    });
  }

  /** The page of the next one. */
  next() {
    return new Promise((resolve) => {
      this.#hear = resolve;
    });
  }

  /**
   * Whether one is under way still, be it between the browser and the way: of one that its page was
   * reloaded over nobody learns whether it was ever sent.
   */
  areUnderWay() {
    const { arrived, underWay } = this.#way;
    const isMissing = arrived - this.#arrivedBefore < this.#sent;
    return underWay > 0 || (isMissing && Date.now() - this.#last < STRAGGLING);
  }
}

/**
 * Until no refresh is under way and no tab has or awaits its turn. Then time may fly: it is only for the
 * pages that it does, and what a request takes of it would be over in a jump.
 */
async function calm(pages, asks) {
  const isCalm = async () => !asks.areUnderWay() && (await Promise.all(pages.map(isIdle))).every(Boolean);
  assert.ok(await eventually(isCalm), 'there is no calm');
  return null;
}

/** A page's own wish for the turn is known to it before it answers. One that is leaving has none. */
async function isIdle(page) {
  const idle = page.evaluate(async () => {
    const { held, pending } = await navigator.locks.query();
    return held.length + pending.length === 0;
  });
  return idle.catch(() => true);
}

async function open(page) {
  await page.goto('/activity');
  await settled(page);
}

async function reload(page) {
  await page.reload();
  await settled(page);
}

/** The access token that the page's own session has by now. */
function token(page) {
  return page.evaluate(async () => (await import('/assets/session.js')).session.accessToken());
}

/** What a call of the page is answered. */
function answer(page) {
  return page.evaluate(async () => {
    const { session } = await import('/assets/session.js');
    return (await session.fetch('/api/auth/session')).status;
  });
}
