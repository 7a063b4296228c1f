import { fraction, name, sleep } from './surroundings.js';

/** How long anybody waits for a turn; longer than any holder needs (milliseconds). */
export const PATIENCE = 15_000;

/** How often a lease is looked at, and how long after writing it down it is read again. */
const LOOK = 100;
const SETTLE = 25;

/**
 * One turn at a time among the tabs of this origin: by Web Locks, which a dying tab lets go of, else
 * by a lease in storage, which runs out.
 *
 * It is a courtesy. The rotation key is what makes two requests at once harmless, so whoever has
 * waited for `PATIENCE` goes ahead, and no tab can keep the others out for good.
 *
 * @returns {<T>(work: () => Promise<T>) => Promise<T>}
 */
export function turns(place, { locks, storage, clock, random }) {
  if (locks) return (work) => underLock(locks, place, clock, work);
  if (storage) return (work) => underLease(storage, place, clock, random, work);
  return (work) => work();
}

async function underLock(locks, place, clock, work) {
  const impatience = new AbortController();
  const timer = clock.setTimeout(() => impatience.abort(), PATIENCE);
  let granted = false;
  const turn = () => {
    granted = true;
    clock.clearTimeout(timer);
    return work();
  };
  try {
    return await locks.request(place, { signal: impatience.signal }, turn);
  } catch (error) {
    if (granted) throw error;
    return work();
  } finally {
    clock.clearTimeout(timer);
  }
}

async function underLease(storage, place, clock, random, work) {
  const me = name(random);
  try {
    for (let looks = PATIENCE / LOOK; looks > 0; looks -= 1) {
      if (isFree(storage.getItem(place), clock.now())) {
        storage.setItem(place, `${Math.floor(clock.now() + PATIENCE)} ${me}`);
        // Somebody may have written at the same time: the last to write has it.
        await sleep(clock, SETTLE * (1 + fraction(random)));
        if (isMine(storage.getItem(place), me)) break;
      }
      await sleep(clock, LOOK * (0.5 + fraction(random)));
    }
  } catch {
    // Storage that refuses is no lock at all.
  }
  try {
    return await work();
  } finally {
    release(storage, place, me);
  }
}

/** Nobody's, run out, or of a clock that was put back since: no lease is longer than `PATIENCE`. */
function isFree(lease, now) {
  const until = Number.parseInt(lease ?? '', 10);
  return !(until > now && until <= now + PATIENCE);
}

function isMine(lease, me) {
  return lease !== null && lease.endsWith(` ${me}`);
}

function release(storage, place, me) {
  try {
    if (isMine(storage.getItem(place), me)) storage.removeItem(place);
  } catch {
    // It runs out by itself.
  }
}
