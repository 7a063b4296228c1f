import { fraction } from './surroundings.js';

/** A token that lives no longer than this is the session's last: nothing is gained ahead of its end. */
const LAST = 60_000;

/**
 * What this tab knows of the session: its token, whose it is, or that there is none. Memory only.
 *
 * Times are this machine's, and only ever compared with one another: a token lives for `expires_in`
 * from when it was asked for, whatever o'clock the server has.
 */
export function standing({ clock, random }) {
  const listeners = new Set();
  let held = null;
  let over = null;
  let rank = 0;
  let version = 0;

  function emit(event) {
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (error) {
        // As the page's other event handlers do; what it listens for goes on.
        (globalThis.reportError ?? console.error)(error);
      }
    }
  }

  return {
    /** The token, while it has some life left. */
    token() {
      if (held === null) return null;
      return clock.now() < held.until - held.margin ? held.answer.access_token : null;
    },

    /** The token even if it has expired. */
    lastToken: () => held?.answer.access_token ?? null,

    account: () => held?.answer.account ?? null,

    /** Why there is no session, if that is known. */
    over: () => over,

    /**
     * How recent this is, among tabs: what a person does counts two, a rotation one, a refusal
     * nothing. So no wall clock, which may be put back, decides what came last.
     */
    rank: () => rank,

    /** Changes with everything learnt here. */
    version: () => version,

    /** Others know of something as recent as this. */
    catchUp(other) {
      rank = Math.max(rank, other);
    },

    /** How long until it is time to carry the session on (milliseconds, at most its token's life). */
    dueIn: () => held.due - clock.now(),

    /** What a tab that asks is told: the token, unless it is about to be replaced. */
    shared() {
      if (held === null || clock.now() >= held.due) return { kind: 'known', rank };
      return { kind: 'session', answer: held.answer, rank, until: held.until };
    },

    /** There is a session, this one. */
    learn(body, newRank, asked, until = Infinity) {
      const answer = copy(body);
      const life = answer.expires_in * 1000;
      const end = Math.min(until, clock.now() + life, asked + life);
      const ahead = life < LAST ? 0 : life * (0.1 + 0.1 * fraction(random));
      const before = held?.answer;
      held = { answer, until: end, due: end - ahead, margin: Math.min(5_000, life / 10) };
      over = null;
      rank = newRank;
      version += 1;
      const isSame =
        before?.session.id === answer.session.id && before.account.id === answer.account.id;
      emit({
        type: isSame ? 'refreshed' : 'signed_in',
        account: answer.account,
        session: answer.session,
      });
    },

    /** There is none, for this reason. */
    end(reason, newRank) {
      const isNews = over !== reason;
      held = null;
      over = reason;
      rank = newRank;
      version += 1;
      if (isNews) emit({ type: 'signed_out', reason });
    },

    subscribe(listener) {
      const own = (event) => listener(event);
      listeners.add(own);
      return () => listeners.delete(own);
    },

    /** Nothing is known any more, and nobody told. */
    close() {
      listeners.clear();
      held = null;
    },
  };
}

/** What is kept of a session answer. The page is shown parts of it, and cannot change them. */
function copy({ access_token, expires_in, session, account }) {
  return {
    access_token,
    expires_in,
    session: Object.freeze({ ...session }),
    account: Object.freeze({ ...account }),
  };
}
