/**
 * What a session needs of the page around it. Each part may be given, as `null` too; what is not
 * given is found, and what cannot be found is done without.
 */
export function surroundings(given) {
  const page = found(() => globalThis.location?.origin);
  return {
    page,
    base: given.base ?? page,
    /** What a relative URL is relative to. */
    here: given.base ?? found(() => globalThis.document?.baseURI) ?? page,
    fetch: given.fetch ?? ((...call) => globalThis.fetch(...call)),
    // Merely to look at it is refused where a browser blocks storage.
    storage: or(given.storage, () => globalThis.localStorage),
    locks: or(given.locks, () => globalThis.navigator?.locks),
    BroadcastChannel: or(given.BroadcastChannel, () => globalThis.BroadcastChannel),
    clock: given.clock ?? system,
    random: given.random ?? ((bytes) => globalThis.crypto.getRandomValues(bytes)),
  };
}

/** A number from 0 up to 1. */
export function fraction(random) {
  return new DataView(random(new Uint8Array(4)).buffer).getUint32(0) / 2 ** 32;
}

/** 128 random bits, as 32 hexadecimal digits. */
export function name(random) {
  return Array.from(random(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Resolves after so many milliseconds. */
export function sleep(clock, millis) {
  return new Promise((resolve) => clock.setTimeout(resolve, millis));
}

const system = {
  now: () => Date.now(),
  setTimeout: (work, millis) => globalThis.setTimeout(work, millis),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};

function or(given, find) {
  return given === undefined ? found(find) : given;
}

function found(find) {
  try {
    return find() ?? null;
  } catch {
    return null;
  }
}
