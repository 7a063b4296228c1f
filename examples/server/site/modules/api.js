/** Calls of the HTTP API, and what people are told of those that were refused. */

import { session } from './session.js';
import { span } from './times.js';
import { knows, language, say } from './words.js';

/** Anything but success. `code` is the API's, or `unreachable`. */
export class Refusal extends Error {
  constructor(code, { details = [], wait = 0 } = {}) {
    super(code);
    this.name = 'Refusal';
    this.code = code;
    this.details = details;
    this.wait = wait;
  }

  /** What to tell whoever looks at the page. */
  get sentence() {
    const key = `refusal.${this.code}`;
    if (!knows(key)) return say('refusal.other');
    return say(`refusal.${this.code}`, { wait: span(this.wait) });
  }

  /** The fields that were not as they should be, each with a sentence. */
  get fields() {
    const names = this.details.map(({ field }) => /^\w+/.exec(field)?.[0] ?? '');
    return names
      .filter((name) => knows(`invalid.${name}`))
      .map((name) => [name, say(`invalid.${name}`)]);
  }
}

/** A call as whoever is signed in. Its answer's body, or null. */
export async function call(method, path, body) {
  return send(session.fetch, method, path, body);
}

/** A call as nobody. */
export async function callOpenly(method, path, body) {
  return send((...request) => fetch(...request), method, path, body);
}

async function send(fetching, method, path, body) {
  // A mail that comes of it is in the language of the page.
  const request = { method, cache: 'no-store', headers: { 'accept-language': language } };
  if (body !== undefined) {
    request.headers['content-type'] = 'application/json';
    request.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetching(path, request);
  } catch {
    throw new Refusal('unreachable');
  }
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => null);
  if (answer.ok && said !== null) return said;
  throw new Refusal(said?.code ?? 'other', {
    details: said?.details,
    wait: Number(answer.headers.get('retry-after')) || 60,
  });
}
