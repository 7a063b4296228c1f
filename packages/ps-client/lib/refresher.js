import { SessionUnavailable } from './error.js';
import { judge } from './judge.js';
import { RETRY_WINDOW, rotationKey } from './key.js';
import { turns } from './lock.js';
import { pace } from './pace.js';
import { ask } from './request.js';
import { fraction, sleep } from './surroundings.js';
import { tabs } from './tabs.js';

/** How often somebody who waits for a token is served by trying again, and how long at most between. */
const TRIES = 4;
const LONGEST_WAIT = 5_000;
/** How long the other tabs have to answer. */
const HEARING = 50;
/** What a sign-in or sign-out counts in the rank; a rotation counts one. */
const ACTED = 2;
/** How often at least it is looked whether a rotation was left behind, to be in time for its answer. */
const WATCH = 4 * 60_000;

/** Carries the session on: ahead of time, on demand, for all tabs at once. */
export function refresher(world, known, urls) {
  const { clock, random } = world;
  const key = rotationKey(`${urls.place} turn`, world);
  const takeTurn = turns(`${urls.place} lock`, world);
  const others = tabs(urls.place, world, hear);
  // A page that is closed in the middle still gets its cookie: the browser goes on without it. Not
  // from another origin, where a preflight is needed and browsers have refused it.
  const keepalive = world.page === null || world.page === urls.origin;

  const pacing = pace(world);
  /** Since when a rotation may have happened of which nobody has the answer. */
  let outSince = null;
  let stepping = null;
  let stop = null;
  let timer = null;
  let heard = () => {};
  let isClosed = false;

  function hear(message) {
    if (isClosed) return;
    if (message.kind === 'ask') {
      others.tell(known.shared());
      return;
    }
    const rank = rankOf(message);
    if (rank < known.rank()) return;
    if (message.kind === 'ended') {
      conclude(message.reason, rank);
    } else if (message.kind === 'known') {
      known.catchUp(rank);
    } else if (isNews(message.answer, rank)) {
      learn(message.answer, rank, clock.now(), message.until);
      heard();
    }
  }

  /** A tab that has heard nothing for long ranks low, and still its person has just acted. */
  function rankOf({ rank, isActed }) {
    return isActed ? Math.max(rank, known.rank() + ACTED) : rank;
  }

  /** Where two rank alike, an end is the last word. */
  function isNews(answer, rank) {
    if (rank === known.rank() && known.over() !== null) return false;
    return answer.access_token !== known.lastToken();
  }

  function learn(answer, rank, asked, until) {
    pacing.succeeded();
    outSince = null;
    known.learn(answer, rank, asked, until);
    plan(Math.max(0, known.dueIn()));
  }

  function conclude(reason, rank) {
    clock.clearTimeout(timer);
    stop?.abort();
    outSince = null;
    known.end(reason, rank);
  }

  /** A turn in so many milliseconds; sooner where a tab has died in the middle of its own. */
  function plan(millis) {
    clock.clearTimeout(timer);
    if (isClosed) return;
    const nap = Math.min(millis, WATCH * (0.5 + 0.5 * fraction(random)));
    timer = clock.setTimeout(() => {
      if (nap === millis || key.isAbandoned()) step(known.lastToken());
      else plan(millis - nap);
    }, nap);
  }

  /** Trying again by itself is worth it while a token lives, or while an answer is still out. */
  function planAnother() {
    const isOut = outSince !== null && clock.now() - outSince < RETRY_WINDOW;
    if (known.over() === null && (known.token() !== null || isOut)) plan(pacing.pause());
  }

  /** One turn, at most one request, shared by all who want it here. It never throws. */
  function step(refused, isAsked = false) {
    stepping ??= takeTurn(() => turn(refused, isAsked))
      .catch(() => ({ verdict: 'later', code: 'internal' }))
      .then((outcome) => {
        if (!isClosed && outcome.verdict !== 'carried_on') planAnother();
        return outcome;
      })
      .finally(() => {
        stepping = null;
      });
    return stepping;
  }

  async function turn(refused, isAsked) {
    const isIdle = () => has(refused) || isClosed || (known.over() !== null && !isAsked);
    if (others.exist && !isIdle()) await hearOthers();
    if (isIdle()) return { verdict: has(refused) ? 'carried_on' : 'over' };
    pacing.beQuiet(key.calm());
    const code = pacing.refusal();
    return code === null ? send() : { verdict: 'later', code };
  }

  /** Whether what a turn was for is done, perhaps by another tab. */
  function has(refused) {
    const token = known.token();
    return token !== null && token !== refused;
  }

  async function hearOthers() {
    const answer = new Promise((resolve) => {
      heard = resolve;
    });
    others.tell({ kind: 'ask' });
    await Promise.race([answer, sleep(clock, HEARING)]);
    heard = () => {};
  }

  async function send() {
    const name = key.take();
    const asked = clock.now();
    const version = known.version();
    stop = new AbortController();
    const options = { headers: { 'idempotency-key': name }, keepalive };
    const answer = await ask(world, urls.refresh, options, stop, (head) => {
      if (head.ok) key.settle(name);
    });
    stop = null;
    if (isClosed) return { verdict: 'over' };
    // Somebody signed in or out meanwhile, and this is of the session before.
    if (known.version() !== version) {
      if (known.over() !== null) return { verdict: 'over' };
      return { verdict: known.token() === null ? 'later' : 'carried_on' };
    }
    const verdict = judge(answer);
    EFFECTS[verdict](answer, { asked, name });
    return { verdict, code: answer.code };
  }

  const EFFECTS = {
    carried_on({ body }, { asked }) {
      learn(body, known.rank() + 1, asked);
      others.tell(known.shared());
    },
    over(_, { name }) {
      key.settle(name);
      const rank = known.rank();
      conclude('refresh_invalid', rank);
      others.tell({ kind: 'ended', reason: 'refresh_invalid', rank });
    },
    // Other servers may know the cookie still: while the token lives there is time to find one.
    unreadable() {
      pacing.failed();
      if (known.token() === null) conclude('refresh_unreadable', known.rank());
    },
    superseded() {
      outSince = null;
      pacing.lostRace();
    },
    later({ status, retryAfter }, { asked }) {
      if (status !== 429) outSince ??= asked;
      pacing.failed(Math.max(retryAfter, key.calm()));
    },
    refused() {
      pacing.failed();
    },
  };

  return {
    /** A token other than the one that was refused; null where there is no session. */
    async obtain(refused, isAsked = false) {
      for (let tries = 1; ; tries += 1) {
        const { verdict, code } = await step(refused, isAsked);
        if (verdict === 'carried_on') return known.token();
        if (verdict === 'over' || (verdict === 'unreadable' && known.over() !== null)) return null;
        const wait = pacing.pause();
        if (verdict === 'refused' || tries === TRIES || wait > LONGEST_WAIT) {
          throw new SessionUnavailable(code);
        }
        await sleep(clock, wait);
        if (has(refused)) return known.token();
      }
    },

    /** Until no answer is out that would write the cookie, or as long as for a turn and a moment. */
    async settled() {
      await takeTurn(async () => {});
      await sleep(clock, key.straggling());
    },

    /** This is the session now, as a sign-in has answered. */
    adopt(answer) {
      stop?.abort();
      key.forget();
      learn(answer, known.rank() + ACTED, clock.now());
      others.tell({ ...known.shared(), isActed: true });
    },

    /** Ends the session at the server, then everywhere here. */
    async signOut() {
      const answer = await takeTurn(() => {
        const token = known.lastToken();
        const headers = token === null ? {} : { authorization: `Bearer ${token}` };
        return ask(world, urls.logout, { headers, keepalive }, new AbortController());
      });
      if (answer.status !== 204) throw new SessionUnavailable(answer.code);
      const rank = known.rank() + ACTED;
      key.forget();
      conclude('signed_out', rank);
      others.tell({ kind: 'ended', reason: 'signed_out', rank, isActed: true });
    },

    close() {
      isClosed = true;
      clock.clearTimeout(timer);
      stop?.abort();
      others.close();
    },
  };
}
