// What better-auth spends on checking an API key: processor time of the whole process for each
// `auth.api.verifyApiKey`, on stores in memory. One check after the other.

import { createHash } from "node:crypto";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { apiKey } from "@better-auth/api-key";

const ROUNDS = 9;
const LEAST_NANOS = 200_000_000;
const KEYS_A_USER = 25;

// What better-auth calls a secondary storage, in the process's own memory.
function map() {
  const values = new Map();
  return {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
  };
}

// A service with so many keys; answers a function that checks the next one of them.
async function serving(keys, options) {
  const auth = betterAuth({
    baseURL: "http://127.0.0.1:8080",
    secret: "one of thirty-two bytes, all odd",
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], apikey: [] }),
    emailAndPassword: { enabled: true, password: { hash: async () => "none" } },
    logger: { disabled: true },
    telemetry: { enabled: false },
    plugins: [apiKey(options)],
  });
  const given = [];
  let user;
  for (let number = 0; number < keys; number += 1) {
    if (number % KEYS_A_USER === 0) {
      const body = { name: "load", email: `person${number}@example.com`, password: "not asked for" };
      user = (await auth.api.signUpEmail({ body })).user.id;
    }
    const permissions = { programs: ["read", "write"] };
    const body = { name: `load ${number}`, userId: user, permissions };
    given.push((await auth.api.createApiKey({ body })).key);
  }
  let next = 0;
  return async () => {
    const key = given[next];
    next = (next + 1) % given.length;
    const { valid, error } = await auth.api.verifyApiKey({ body: { key } });
    if (!valid) throw new Error(JSON.stringify(error));
  };
}

function cpuNanos() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1_000;
}

// Nanoseconds of processor time for each of at least a fifth of a second, garbage collection and the
// compiler's threads included.
async function round(act) {
  const begun = cpuNanos();
  let times = 0;
  let used = 0;
  while (used < LEAST_NANOS) {
    for (let each = 0; each < 100; each += 1) await act();
    times += 100;
    used = cpuNanos() - begun;
  }
  return used / times;
}

const unlimited = { rateLimit: { enabled: false } };
const inMap = () => ({ ...unlimited, storage: "secondary-storage", customStorage: map() });
// By its defaults a key may be used ten times a day: the same work, with a limit that is not met.
const defaults = { rateLimit: { enabled: true, maxRequests: 1_000_000_000 } };
const sha256 = () => {
  const key = "ps_0123456789abcdefghijklmnopqrstuvwxyzAB";
  return async () => void createHash("sha256").update(key).digest();
};

const lanes = [
  ["createHash of 41 bytes alone", sha256()],
  ["a map as secondary storage, 10³ keys, not limited", await serving(1_000, inMap())],
  ["memory adapter, 1 key, not limited", await serving(1, unlimited)],
  ["memory adapter, 1 key, as by default", await serving(1, defaults)],
  ["memory adapter, 10³ keys, not limited", await serving(1_000, unlimited)],
];
for (const [, act] of lanes) await round(act);
const found = lanes.map(() => []);
for (let turn = 0; turn < ROUNDS; turn += 1) {
  for (const [place, [, act]] of lanes.entries()) found[place].push(await round(act));
}
console.log("| | CPU for each | least–most |\n|---|--:|--:|");
for (const [place, [name]] of lanes.entries()) {
  const nanos = found[place].toSorted((a, b) => a - b).map(Math.round);
  console.log(`| ${name} | ${nanos[ROUNDS >> 1]} ns | ${nanos[0]}–${nanos[ROUNDS - 1]} |`);
}
