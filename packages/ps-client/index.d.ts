/** What a sign-in answers: magic code, registration, password. A refresh answers the same. */
export interface SessionAnswer {
  access_token: string;
  /** Seconds that the token lives. */
  expires_in: number;
  session: SessionView;
  account: Account;
}

/** The session as the server shows it. Times are RFC 3339, in UTC. */
export interface SessionView {
  readonly id: string;
  readonly created_at: string;
  /** When it ends if nobody refreshes it. */
  readonly expires_at: string;
}

/** Who is signed in. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly created_at: string;
}

/** What a page is told. No event carries a token. */
export type SessionEvent =
  /** There is a session now, or another one. */
  | { type: 'signed_in'; account: Account; session: SessionView }
  /** The same session was carried on. */
  | { type: 'refreshed'; account: Account; session: SessionView }
  | { type: 'signed_out'; reason: SignedOutReason };

/**
 * Why there is no session: somebody signed out, here or in another tab; the server says that it is
 * over, or that there was none; or no server can read the cookie now, which `refresh()` may try again.
 */
export type SignedOutReason = 'signed_out' | 'refresh_invalid' | 'refresh_unreadable';

/** The browser's side of one session. */
export interface Session {
  /**
   * `fetch` that adds the access token to requests to `base`, and to no others, and sends a request
   * once more where the answer was 401 `session_invalid` and a refresh brought another token. A
   * stream is not sent again. A request with an `Authorization` or `x-api-key` of its own is left as
   * it is. Without a session it sends no token.
   *
   * @throws {SessionUnavailable} where a token is needed first and cannot be had now.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;

  /**
   * The access token, renewed if need be; `null` where nobody is signed in.
   *
   * @throws {SessionUnavailable} where that cannot be known now. Nobody was signed out.
   */
  accessToken(): Promise<string | null>;

  /**
   * Resolves once no refresh is under way, of any tab; after some 18 seconds in any case. To be waited for
   * before sending what brings the cookie of a session: a form that signs in, or a link to where one
   * does. A refresh that is answered behind it would write over that cookie, or clear it.
   */
  settled(): Promise<void>;

  /**
   * This is the session now, here and in every other tab.
   *
   * @throws {TypeError} for what is not a session answer.
   */
  adopt(answer: SessionAnswer): void;

  /**
   * Carries the session on now, also where it was taken for over: the way to look again after a
   * sign-in that this page did not see. Answers as `accessToken` does.
   *
   * @throws {SessionUnavailable} where it cannot be done now.
   */
  refresh(): Promise<string | null>;

  /**
   * Ends the session at the server, then in every tab.
   *
   * @throws {SessionUnavailable} if the server did not confirm it. Then the session goes on.
   */
  signOut(): Promise<void>;

  /** Who is signed in, as far as this tab knows by now. */
  readonly account: Account | null;

  /** Calls `listener` with each event from now on, until the function that it returns is called. */
  subscribe(listener: (event: SessionEvent) => void): () => void;

  /** Lets go of timers, channel and token. The session goes on; this object is of no more use. */
  close(): void;
}

/** What a session is made of. Each part has its default in the page; `null` does without it. */
export interface Options {
  /** The bare origin of the server, the page's own by default; `https`, except on loopback. */
  base?: string | URL;
  fetch?: typeof globalThis.fetch;
  /** For the name of a refresh under way, and a lease where there are no locks; never for a token. */
  storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null;
  locks?: LocksLike | null;
  /** How tabs tell one another of a new token, which passes through memory only. */
  BroadcastChannel?: (new (name: string) => ChannelLike) | null;
  clock?: Clock;
  /** Fills `bytes` with random ones and returns it, as `crypto.getRandomValues` does. */
  random?: (bytes: Uint8Array) => Uint8Array;
}

/** The part of `navigator.locks` that is used. */
export interface LocksLike {
  request<T>(name: string, options: { signal: AbortSignal }, work: () => Promise<T>): Promise<T>;
}

/** The part of a `BroadcastChannel` that is used. */
export interface ChannelLike {
  onmessage: ((this: any, event: MessageEvent) => any) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** Time in milliseconds. */
export interface Clock {
  now(): number;
  setTimeout(work: () => void, millis: number): unknown;
  clearTimeout(timer: any): void;
}

/**
 * The session could not be carried on or ended now: nothing is known to be over, and trying again
 * later is right.
 */
export class SessionUnavailable extends Error {
  private constructor();
  readonly name: 'SessionUnavailable';
  /**
   * The server's code; else `network`, `http_<status>` for an answer that is not the server's,
   * `waiting` (for a moment that the server named, or another request) or `too_many` (in a minute).
   */
  readonly code: string;
}

/** Takes up the session of this page, if there is one; a page makes one of these, at its start. */
export function createSession(options?: Options): Session;
