import { TIMEOUT } from './request.js';
import { name } from './surroundings.js';

/** For how long the server repeats the answer to a rotation, in milliseconds. */
export const RETRY_WINDOW = 10 * 60 * 1000;

/**
 * For how long a request that its tab did not see answered may still be under way, in milliseconds.
 * It carries an old cookie there, and perhaps one back.
 */
export const STRAGGLING = 3_000;

const ABANDONED = 2 * TIMEOUT;

const RECORD = /^(\d{1,15}) (?:([0-9a-f]{32})( again)?|-)$/;
/** In the place of a key that was sent more than once and then answered. */
const ANSWERED = '-';
/** Behind a key that was sent more than once. */
const AGAIN = ' again';

/**
 * The `Idempotency-Key` of the rotation whose answer is out. It lies in storage, which every tab of
 * the origin reads and which outlives each of them: whoever comes next sends the same key again, and
 * the server answers as it did the first time. It names a request and opens nothing.
 *
 * What storage says is true even for the tab that wrote it: an absent key was answered, perhaps in
 * another tab.
 */
export function rotationKey(place, { storage, clock, random }) {
  /** The record where storage takes none. */
  let kept = null;

  function read() {
    const [, at, key = null, again] = RECORD.exec(kept ?? stored() ?? '') ?? [];
    return { key, isAgain: again !== undefined, age: clock.now() - Number(at) };
  }

  function stored() {
    try {
      return storage?.getItem(place);
    } catch {
      return null;
    }
  }

  function write(text) {
    const record = `${Math.floor(clock.now())} ${text}`;
    try {
      storage.setItem(place, record);
      kept = null;
    } catch {
      kept = record;
    }
  }

  /**
   * Whether a key is out. Its age counts from the last time that it was sent, since that may be the
   * one that arrived. An age below zero says that the clock was put back, and nothing of the key.
   */
  function isOut({ key, age }) {
    return key !== null && age < RETRY_WINDOW;
  }

  return {
    /** The key to send now, written down before it is. */
    take() {
      const record = read();
      const isAgain = isOut(record);
      const key = isAgain ? record.key : name(random);
      write(isAgain ? key + AGAIN : key);
      return key;
    },

    /** Its answer is in, so it names nothing any more. */
    settle(key) {
      const record = read();
      if (record.key !== key) return;
      if (record.isAgain) write(ANSWERED);
      else this.forget();
    },

    /** Whether somebody sent a key so long ago that nobody waits for its answer any more. */
    isAbandoned() {
      const record = read();
      return isOut(record) && !(record.age >= 0 && record.age < ABANDONED);
    },

    /**
     * For how long nothing should be sent, because a request may still be under way that the next
     * would overtake: with a newer cookie, if another answer has brought one, it would carry the
     * session past what that request brings. A key that was sent once is out with one request, whose
     * answer alone brings a newer cookie: nothing is left to overtake.
     */
    calm() {
      const { key, isAgain } = read();
      return isAgain || key === null ? this.straggling() : 0;
    },

    /** For how long a request may still be under way whose tab waits no more for its answer. */
    straggling() {
      const { age } = read();
      return age >= 0 ? Math.max(0, STRAGGLING - age) : 0;
    },

    forget() {
      kept = null;
      try {
        storage?.removeItem(place);
      } catch {
        // It could not be written either.
      }
    },
  };
}
