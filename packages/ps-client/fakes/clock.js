/** Time that passes when it is told to. Tabs see the wall clock; timers run on the time beneath it. */
export class Time {
  #timers = [];
  #next = 1;
  at = 0;
  /** How far this machine's wall clock is from the time, and from the server's. */
  wall = 1_700_000_000_000;

  /** A clock whose timers fire only while `isAlive`, as those of a tab do. */
  clock(isAlive = () => true) {
    return {
      now: () => this.wall + this.at,
      setTimeout: (work, millis) => this.after(millis, () => isAlive() && work()),
      clearTimeout: (id) => this.cancel(id),
    };
  }

  after(millis, work) {
    const timer = { at: this.at + Math.max(0, millis), id: this.#next, work };
    this.#next += 1;
    let place = this.#timers.length;
    while (place > 0 && this.#timers[place - 1].at > timer.at) place -= 1;
    this.#timers.splice(place, 0, timer);
    return timer.id;
  }

  cancel(id) {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  }

  sleep(millis) {
    return new Promise((resolve) => this.after(millis, resolve));
  }

  /** Lets so much time pass, and all that happens in it happen. */
  async pass(millis) {
    const end = this.at + millis;
    await settle();
    while (this.#timers.length > 0 && this.#timers[0].at <= end) {
      const timer = this.#timers.shift();
      this.at = timer.at;
      timer.work();
      await settle();
    }
    this.at = end;
  }

  /** What `promise` comes to, letting time pass until it does. */
  async until(promise, atMost = 600_000) {
    let isDone = false;
    const done = promise.finally(() => {
      isDone = true;
    });
    done.catch(() => {});
    const end = this.at + atMost;
    await settle();
    while (!isDone) {
      if (this.#timers.length === 0 || this.#timers[0].at > end) throw new Error('never settled');
      await this.pass(this.#timers[0].at - this.at);
    }
    return done;
  }
}

/** Everything that can happen without time passing has happened. */
function settle() {
  return new Promise((resolve) => setImmediate(resolve));
}
