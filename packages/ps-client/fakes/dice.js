/** Randomness with a seed (mulberry32). */
export class Dice {
  #state;

  constructor(seed) {
    this.#state = seed;
  }

  number() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(bound) {
    return Math.floor(this.number() * bound);
  }

  happens(probability) {
    return this.number() < probability;
  }

  bytes() {
    return (bytes) => bytes.map(() => this.below(256));
  }
}
