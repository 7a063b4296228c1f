const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/**
 * The server's rules of sessions: one row each, a head that every rotation advances by one, and the
 * table by which an older token is judged.
 */
export class Server {
  sessions = new Map();
  tokens = new Map();
  /** Rotations: `{ at, generation, key, constant }`. */
  rotations = [];
  replays = 0;
  /** Refreshes asked for, whatever the answer. */
  asked = 0;
  #issued = 0;

  constructor(time, { accessLife = 15 * MINUTE, absoluteLife = 30 * DAY } = {}) {
    this.time = time;
    this.accessLife = accessLife;
    this.absoluteLife = absoluteLife;
  }

  signIn(account = 'alice') {
    const row = {
      id: `s${this.sessions.size + 1}`,
      account,
      generation: 0,
      key: null,
      keyBefore: null,
      madeAt: this.time.at,
      refreshedAt: this.time.at,
      ended: false,
    };
    this.sessions.set(row.id, row);
    return this.#answer(row);
  }

  end(id) {
    this.sessions.get(id).ended = true;
  }

  isAlive(id) {
    const row = this.sessions.get(id);
    return !row.ended && this.time.at < this.#expiresAt(row);
  }

  refresh(cookie, key) {
    this.asked += 1;
    const [, id, generation] = /^rt\.(\w+)\.(\d+)$/.exec(cookie ?? '') ?? [];
    const row = this.sessions.get(id);
    if (row === undefined || !this.isAlive(id)) return INVALID;
    const behind = row.generation - Number(generation);
    const age = this.time.at - row.refreshedAt;
    if (behind === 0) return this.#advance(row, key);
    if (behind === 1 && age <= 10 * MINUTE && isRepetition(row, key)) return this.#answer(row);
    if (behind === 1 && age <= 10 * SECOND) return refused('refresh_superseded');
    this.replays += behind > 0 ? 1 : 0;
    row.ended = behind > 0;
    return INVALID;
  }

  logout(cookie, bearer) {
    const [, id] = /^rt\.(\w+)\.\d+$/.exec(cookie ?? '') ?? [];
    for (const each of [id, this.tokens.get(bearer)?.id]) {
      if (this.sessions.has(each)) this.end(each);
    }
    return { status: 204, cookie: '' };
  }

  /** What a resource behind a session answers. */
  read(bearer) {
    const token = this.tokens.get(bearer);
    if (bearer === undefined) return refused('session_required');
    if (token === undefined || this.time.at >= token.expiresAt || !this.isAlive(token.id)) {
      return refused('session_invalid');
    }
    return { status: 200, body: { account: token.account } };
  }

  #advance(row, key) {
    const constant = key !== null && key === row.key;
    Object.assign(row, { keyBefore: row.key, key, refreshedAt: this.time.at });
    row.generation += 1;
    this.rotations.push({ at: this.time.at, generation: row.generation, key, constant });
    return this.#answer(row);
  }

  #answer(row) {
    const expiresAt = Math.min(this.time.at + this.accessLife, row.madeAt + this.absoluteLife);
    this.#issued += 1;
    const token = `at.${row.id}.${this.#issued}`;
    this.tokens.set(token, { id: row.id, account: row.account, expiresAt });
    const date = (at) => new Date(at).toISOString();
    const body = {
      access_token: token,
      token_type: 'Bearer',
      expires_in: Math.floor((expiresAt - this.time.at) / SECOND),
      session: {
        id: row.id,
        created_at: date(row.madeAt),
        expires_at: date(this.#expiresAt(row)),
      },
      account: {
        id: row.account,
        email: `${row.account}@example.com`,
        created_at: date(row.madeAt),
      },
    };
    return { status: 200, cookie: `rt.${row.id}.${row.generation}`, body };
  }

  #expiresAt(row) {
    return Math.min(row.refreshedAt + 7 * DAY, row.madeAt + this.absoluteLife);
  }
}

/** A key that every request carries says nothing by it. */
function isRepetition(row, key) {
  return key !== null && key === row.key && key !== row.keyBefore;
}

function refused(code) {
  return { status: 401, body: { error: 'Refused.', code } };
}

const INVALID = { ...refused('refresh_invalid'), cookie: '' };
