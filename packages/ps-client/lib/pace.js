import { TIMEOUT } from './request.js';
import { fraction } from './surroundings.js';

/** How many refreshes a tab sends in a minute, whatever happens. */
const MOST_PER_MINUTE = 8;
/**
 * For how long a lost race is tried again, well inside the server's 10 seconds; and how long then
 * nothing is sent, so that the winner's answer, however slow, is in or given up.
 */
const RACE = 6_000;
const QUIET = TIMEOUT + 5_000;
const LONGEST = 60_000;

/** How often this tab may ask the server, and how long it waits in between. */
export function pace({ clock, random }) {
  let sent = [];
  let failures = 0;
  let racedSince = null;
  let quietUntil = -Infinity;

  /** More than was ever asked for says that the clock was put back. */
  function quietFor() {
    const left = quietUntil - clock.now();
    return left > 0 && left <= LONGEST ? left : 0;
  }

  function beQuiet(millis) {
    quietUntil = clock.now() + Math.max(quietFor(), Math.min(millis, LONGEST));
  }

  return {
    /** Sends nothing for so long, or for as long as is meant already. */
    beQuiet,

    /** Why nothing may be sent now; else one more is counted as sent. */
    refusal() {
      if (quietFor() > 0) return 'waiting';
      const now = clock.now();
      sent = sent.filter((at) => Math.abs(now - at) < 60_000);
      if (sent.length >= MOST_PER_MINUTE) {
        beQuiet(QUIET);
        return 'too_many';
      }
      sent.push(now);
      return null;
    },

    succeeded() {
      failures = 0;
      racedSince = null;
    },

    failed(retryAfter = 0) {
      failures += 1;
      beQuiet(retryAfter);
    },

    lostRace() {
      const now = clock.now();
      racedSince ??= now;
      if (Math.abs(now - racedSince) < RACE) return;
      racedSince = null;
      failures += 1;
      beQuiet(QUIET);
    },

    /** How long to wait after what has happened, longer each time. */
    pause() {
      const backoff = Math.min(LONGEST, 1_000 * 2 ** Math.min(failures, 10));
      return Math.max(quietFor(), backoff * (0.5 + 0.5 * fraction(random)));
    },
  };
}
