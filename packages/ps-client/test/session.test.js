import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SessionUnavailable, createSession } from '../index.js';
import { inOrder, problem, refreshes, signedIn } from '../fakes/world.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

test('a page that starts gets its token by the cookie', async () => {
  const { time, browser } = signedIn();
  const tab = browser.open();
  assert.equal(tab.session.account, null);
  assert.match(await time.until(tab.session.accessToken()), /^at\.s1\./);
  assert.equal(tab.session.account.email, 'alice@example.com');
  assert.deepEqual(
    tab.events.map(({ type, account }) => [type, account.id]),
    [['signed_in', 'alice']],
  );
});

test('a page of nobody learns so once and asks no more', async () => {
  const { time, browser } = signedIn();
  browser.jar = '';
  const tab = browser.open();
  assert.equal(await time.until(tab.session.accessToken()), null);
  assert.equal(await time.until(tab.session.accessToken()), null);
  assert.equal(refreshes(browser).length, 1);
  assert.equal(await time.until(tab.session.refresh()), null);
  assert.equal(refreshes(browser).length, 2);
  assert.deepEqual(tab.events, [{ type: 'signed_out', reason: 'refresh_invalid' }]);
});

test('the token is renewed before it expires, without anybody asking', async () => {
  const { time, server, browser } = signedIn();
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  for (let minute = 0; minute < 60; minute += 1) {
    await time.pass(MINUTE);
    const response = await time.until(tab.session.fetch('/api/auth/session'));
    assert.equal(response.status, 200);
  }
  assert.ok(browser.requests.every(({ bearer }) => bearer === undefined || server.tokens.has(bearer)));
  const [first, second] = server.rotations;
  const age = second.at - first.at;
  assert.ok(age > 12 * MINUTE && age < 14 * MINUTE, `${age}`);
  assert.ok(server.rotations.length <= 6);
});

test('near the absolute end no token is renewed for less and less', async () => {
  const { time, server, browser } = signedIn({ absoluteLife: 20 * MINUTE });
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  await time.pass(25 * MINUTE);
  assert.ok(server.rotations.length <= 5, `${server.rotations.length} rotations`);
  assert.equal(tab.signedOut, 'refresh_invalid');
});

test('a new tab asks the others before it asks the server', async () => {
  const { time, browser } = signedIn();
  const first = browser.open();
  const token = await time.until(first.session.accessToken());
  assert.equal(await time.until(browser.open().session.accessToken()), token);
  assert.equal(refreshes(browser).length, 1);
});

// SE14
test('twenty tabs at once make one rotation', async () => {
  const { time, browser } = signedIn();
  const tabs = Array.from({ length: 20 }, () => browser.open());
  const tokens = await time.until(Promise.all(tabs.map(({ session }) => session.accessToken())));
  assert.equal(new Set(tokens).size, 1);
  assert.equal(refreshes(browser).length, 1);
});

// SE15
for (const lost of [{ before: 'lost' }, { after: 'lost' }, { after: 'hang' }, { before: 'hang' }]) {
  test(`the same key is sent again where the answer was ${JSON.stringify(lost)}`, async () => {
    const { time, server, browser } = signedIn();
    browser.weather = inOrder(lost);
    const tab = browser.open();
    assert.ok(await time.until(tab.session.accessToken()));
    const [first, second] = refreshes(browser);
    assert.equal(second.key, first.key);
    assert.equal(server.rotations.length, 1);
    await time.pass(10 * SECOND);
    await time.until(tab.session.refresh());
    assert.notEqual(refreshes(browser)[2].key, first.key);
  });
}

// SE15
test('a reload in the middle sends the same key again', async () => {
  const { time, server, browser } = signedIn();
  browser.weather = inOrder({ after: 'lost' });
  const tab = browser.open();
  tab.session.accessToken().catch(() => {});
  await time.pass(80);
  assert.equal(server.rotations.length, 1);
  const again = browser.reload(tab);
  assert.ok(await time.until(again.session.accessToken()));
  const [first, second] = refreshes(browser);
  assert.equal(second.key, first.key);
  assert.equal(server.rotations.length, 1);
});

// SE15: the answer to the first has reached the jar, the second is still under way with the old cookie,
// and for a third time the key would carry the session on once more, past the second.
test('a reload in the middle of a reload does not overtake the first', async () => {
  const { time, server, browser } = signedIn();
  browser.weather = inOrder({ back: 400 }, { delay: 2 * SECOND });
  let tab = browser.open();
  for (const reloadAfter of [100, 500]) {
    tab.session.accessToken().catch(() => {});
    await time.pass(reloadAfter);
    tab = browser.reload(tab);
  }
  assert.ok(await time.until(tab.session.accessToken()));
  await time.pass(5 * SECOND);
  assert.equal(server.replays, 0);
  assert.ok(await time.until(tab.session.refresh()));
  const [first, second, third] = refreshes(browser);
  assert.deepEqual([second.key, second.cookie], [first.key, first.cookie]);
  assert.notEqual(third.cookie, first.cookie);
});

// SE15
test('what a dead tab has left behind is taken up by another in time', async () => {
  for (const channel of [true, false]) {
    const { time, server, browser } = signedIn({ has: { channel } });
    const [idle, dying] = [browser.open(), browser.open()];
    await time.until(Promise.all([idle, dying].map(({ session }) => session.accessToken())));
    await time.pass(MINUTE);
    browser.weather = inOrder({ after: 'lost' });
    dying.session.refresh().catch(() => {});
    await time.pass(80);
    browser.kill(dying);
    await time.pass(60 * MINUTE);
    assert.equal(server.replays, 0);
    assert.ok(server.isAlive('s1'));
  }
});

test('a key that is older than ten minutes is not sent again', async () => {
  const { time, browser } = signedIn();
  browser.weather = inOrder({ before: 'lost' });
  const tab = browser.open();
  tab.session.accessToken().catch(() => {});
  await time.pass(80);
  browser.kill(tab);
  await time.pass(10 * MINUTE);
  await time.until(browser.open().session.accessToken());
  const [first, second] = refreshes(browser);
  assert.notEqual(second.key, first.key);
});

test('an answer whose body is cut has used its key up', async () => {
  const { time, server, browser } = signedIn();
  browser.weather = inOrder({ garble: true });
  assert.ok(await time.until(browser.open().session.accessToken()));
  const [first, second] = refreshes(browser);
  assert.notEqual(second.key, first.key);
  assert.equal(server.rotations.filter(({ constant }) => constant).length, 0);
});

// SE15: the one double fault that no key heals. It must end as a plain sign-out.
test('two lost answers around a crash end the session, once and for good', async () => {
  const { time, server, browser } = signedIn();
  const tab = browser.open();
  tab.session.accessToken().catch(() => {});
  await time.pass(80);
  browser.weather = inOrder({ after: 'lost' });
  const again = browser.reload(tab);
  assert.equal(await time.until(again.session.accessToken().catch(() => null)), null);
  assert.equal(server.rotations.at(-1).constant, true);
  await time.pass(5 * MINUTE);
  assert.equal(await time.until(again.session.accessToken()), null);
  assert.deepEqual(again.events, [{ type: 'signed_out', reason: 'refresh_invalid' }]);
  const sent = refreshes(browser).length;
  await time.pass(60 * MINUTE);
  assert.equal(refreshes(browser).length, sent);
});

// SE17
test('a lost race is tried again with the cookie that won', async () => {
  const { time, server, browser } = signedIn({ has: { locks: false, storage: false, channel: false } });
  const tabs = Array.from({ length: 5 }, () => browser.open());
  const tokens = await time.until(Promise.all(tabs.map(({ session }) => session.accessToken())));
  assert.ok(tokens.every(Boolean));
  assert.equal(server.replays, 0);
});

// SE17
test('a race is tried again within the server’s ten seconds or not until its winner is in', async () => {
  const { time, browser } = signedIn();
  browser.weather = () => ({ delay: 2 * SECOND, before: problem(401, 'refresh_superseded') });
  const { session } = browser.open();
  for (let seconds = 0; seconds < 60; seconds += 1) {
    session.accessToken().catch(() => {});
    await time.pass(SECOND);
  }
  const sent = refreshes(browser).map(({ at }) => at);
  assert.ok(sent.length > 5, `${sent}`);
  let first = sent[0];
  for (const [i, at] of sent.entries()) {
    if (at - (sent[i - 1] ?? at) >= 15 * SECOND) first = at;
    assert.ok(at - first < 9 * SECOND, `${sent}`);
  }
});

for (const code of ['refresh_superseded', 'http_503', 'network', 'refresh_unreadable', 'not_found']) {
  test(`nothing loops where the answer is always ${code}`, async () => {
    const { time, browser } = signedIn();
    const tabs = Array.from({ length: 5 }, () => browser.open());
    await time.until(tabs[0].session.accessToken());
    await time.pass(10);
    browser.weather = (record) => {
      if (record.pathname !== '/api/auth/refresh') return {};
      if (code === 'network') return { before: 'lost' };
      const status = { http_503: 503, not_found: 404 }[code] ?? 401;
      return { before: problem(status, code) };
    };
    const before = refreshes(browser).length;
    for (let minute = 0; minute < 60; minute += 1) {
      for (const { session } of tabs) session.fetch('/api/auth/session').catch(() => {});
      await time.pass(MINUTE);
    }
    for (const tab of tabs) {
      const sent = refreshes(browser).filter((r) => r.tab === tab).slice(tab === tabs[0] ? before : 0);
      sent.forEach(({ at }, i) => assert.ok(!(sent[i + 8]?.at - at < MINUTE), `${sent.length}`));
      if (code !== 'refresh_unreadable') assert.equal(tab.signedOut, undefined);
    }
    browser.weather = () => ({});
    await time.pass(2 * MINUTE);
    assert.ok(await time.until(tabs[1].session.refresh()));
  });
}

test('whoever asks is told that it is not known, not that it is over', async () => {
  const { time, browser } = signedIn();
  browser.weather = () => ({ before: problem(503, 'unavailable', { 'retry-after': '30' }) });
  const { session, events } = browser.open();
  await assert.rejects(time.until(session.accessToken()), (error) => {
    assert.ok(error instanceof SessionUnavailable);
    assert.equal(error.code, 'unavailable');
    return true;
  });
  // Retry-After is heard: nobody who asks again makes it send.
  const sent = refreshes(browser).length;
  await assert.rejects(time.until(session.accessToken()), { code: 'waiting' });
  assert.equal(refreshes(browser).length, sent);
  assert.deepEqual(events, []);
});

test('an unreadable cookie is told only when the token has run out', async () => {
  const { time, browser } = signedIn();
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  browser.weather = () => ({ before: problem(401, 'refresh_unreadable') });
  await time.pass(14 * MINUTE);
  assert.equal(tab.signedOut, undefined);
  await time.pass(2 * MINUTE);
  assert.equal(await time.until(tab.session.accessToken().catch(() => 'not yet')), null);
  assert.equal(tab.signedOut, 'refresh_unreadable');
});

test('only the server can end a session: a stranger’s 401 and a 500 do not', async () => {
  for (const [status, code] of [[401, 'blocked_by_proxy'], [500, 'internal_error'], [403, 'x']]) {
    const answer = problem(status, code);
    const { time, browser } = signedIn();
    browser.weather = inOrder({ before: answer });
    const tab = browser.open();
    await time.until(tab.session.accessToken()).catch(() => {});
    assert.ok(await time.until(tab.session.accessToken()));
    assert.equal(tab.signedOut, undefined);
  }
});

// SE20
test('signing out ends the session at the server and in every tab', async () => {
  const { time, server, browser } = signedIn();
  const [one, other] = [browser.open(), browser.open()];
  await time.until(one.session.accessToken());
  await time.until(other.session.accessToken());
  await time.until(one.session.signOut());
  await time.pass(10);
  assert.ok(!server.isAlive('s1'));
  for (const tab of [one, other]) {
    assert.equal(tab.signedOut, 'signed_out');
    assert.equal(tab.session.account, null);
    assert.equal(await time.until(tab.session.accessToken()), null);
  }
  assert.equal(browser.jar, '');
  assert.equal(refreshes(browser).length, 1);
});

test('a tab that has heard nothing for long signs the others out, and in', async () => {
  const { time, server, browser } = signedIn();
  const old = browser.open();
  await time.until(old.session.accessToken());
  for (let times = 0; times < 5; times += 1) await time.until(old.session.refresh());
  const deaf = browser.open();
  await time.until(deaf.session.signOut());
  await time.pass(10);
  assert.equal(old.signedOut, 'signed_out');
  const answer = server.signIn('bob');
  browser.jar = answer.cookie;
  browser.open().session.adopt(answer.body);
  await time.pass(10);
  assert.equal(old.session.account?.id, 'bob');
});

test('of what tabs say only the newest counts, and of two alike the end', async () => {
  const { time, server, browser } = signedIn();
  const said = [];
  let channel;
  class Wire {
    constructor() {
      channel = this;
    }
    postMessage(message) {
      said.push(message);
    }
    close() {}
  }
  const tab = browser.open({ BroadcastChannel: Wire });
  const token = await time.until(tab.session.accessToken());
  const told = said.at(-1);
  assert.equal(told.kind, 'session');
  const other = { ...told, answer: server.signIn('mallory').body };
  const hear = (message) => channel.onmessage({ data: message });

  hear({ ...other, rank: told.rank - 1 });
  hear({ kind: 'ended', reason: 'refresh_invalid', rank: told.rank - 1 });
  [null, 'x', {}, { kind: 'ended' }].forEach(hear);
  [{ answer: {} }, { rank: 'x' }, { until: null }].forEach((wrong) => hear({ ...other, ...wrong }));
  assert.equal(await time.until(tab.session.accessToken()), token);

  hear({ kind: 'ended', reason: 'refresh_invalid', rank: told.rank });
  assert.equal(tab.signedOut, 'refresh_invalid');
  hear(other);
  assert.equal(tab.session.account, null);
  hear({ ...other, rank: told.rank + 1 });
  assert.equal(tab.session.account.id, 'mallory');
});

test('signing out that did not reach the server has not happened', async () => {
  const { time, server, browser } = signedIn();
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  browser.weather = () => ({ before: 'lost' });
  await assert.rejects(time.until(tab.session.signOut()), { name: 'SessionUnavailable' });
  assert.equal(tab.signedOut, undefined);
  assert.ok(server.isAlive('s1'));
});

test('a refresh under way is not heard of after signing out', async () => {
  for (const has of [{}, { locks: false, storage: false }]) {
    const { time, browser } = signedIn({ has });
    const [one, other] = [browser.open(), browser.open()];
    await time.until(one.session.accessToken());
    await time.until(other.session.accessToken());
    browser.weather = inOrder({ delay: 300, back: 300 });
    other.session.refresh().catch(() => {});
    await time.pass(100);
    await time.until(one.session.signOut());
    await time.pass(5 * SECOND);
    for (const tab of [one, other]) assert.equal(tab.events.at(-1).type, 'signed_out');
  }
});

test('signing in in one tab signs the others in, also as somebody else', async () => {
  const { time, server, browser } = signedIn();
  const [one, other] = [browser.open(), browser.open()];
  await time.until(one.session.accessToken());
  await time.until(other.session.accessToken());
  server.end('s1');
  const answer = server.signIn('bob');
  browser.jar = answer.cookie;
  one.session.adopt(answer.body);
  await time.pass(10);
  for (const { session, events } of [one, other]) {
    assert.equal(session.account.id, 'bob');
    assert.equal(events.at(-1).type, 'signed_in');
    assert.match(await time.until(session.accessToken()), /^at\.s2\./);
  }
});

test('a refresh of the session before is not heard of after signing in', async () => {
  const { time, server, browser } = signedIn();
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  browser.weather = inOrder({ delay: 300, back: 300 });
  tab.session.refresh().catch(() => {});
  await time.pass(400);
  const answer = server.signIn('bob');
  browser.jar = answer.cookie;
  tab.session.adopt(answer.body);
  await time.pass(5 * SECOND);
  assert.equal(tab.session.account.id, 'bob');
});

test('whoever signs in waits until no refresh of another tab can write over the cookie', async () => {
  for (const has of [{}, { locks: false }, { channel: false }]) {
    const { time, server, browser } = signedIn({ has });
    const [one, other] = [browser.open(), browser.open()];
    await time.until(Promise.all([one, other].map(({ session }) => session.accessToken())));
    browser.weather = inOrder({ delay: 300, back: 300 });
    other.session.refresh().catch(() => {});
    await time.pass(100);
    await time.until(one.session.settled());
    const answer = server.signIn('bob');
    browser.jar = answer.cookie;
    one.session.adopt(answer.body);
    await time.pass(5 * SECOND);
    assert.equal(browser.jar, answer.cookie);
    assert.equal(one.session.account.id, 'bob');
  }
});

test('whoever signs in waits for what the page before has left under way', async () => {
  for (const asksItself of [true, false]) {
    const { time, server, browser } = signedIn();
    browser.jar = '';
    browser.weather = inOrder({ back: 2 * SECOND });
    const before = browser.open();
    before.session.accessToken().catch(() => {});
    await time.pass(100);
    const { session } = browser.reload(before);
    if (asksItself) assert.equal(await time.until(session.accessToken()), null);
    await time.until(session.settled());
    const answer = server.signIn('bob');
    browser.jar = answer.cookie;
    session.adopt(answer.body);
    await time.pass(5 * SECOND);
    assert.equal(browser.jar, answer.cookie, `asks itself: ${asksItself}`);
  }
});

test('nobody waits for ever for a refresh that hangs', async () => {
  const { time, browser } = signedIn();
  browser.weather = () => ({ before: 'hang' });
  const [one, other] = [browser.open(), browser.open()];
  other.session.accessToken().catch(() => {});
  await time.pass(100);
  const since = time.at;
  await time.until(one.session.settled());
  assert.ok(time.at - since <= 18 * SECOND, `${time.at - since}`);
});

test('no wall clock decides which tab is right', async () => {
  const { time, server, browser } = signedIn();
  const tabs = Array.from({ length: 10 }, () => browser.open());
  await time.until(Promise.all(tabs.map(({ session }) => session.accessToken())));
  for (const jump of [-3600 * SECOND, 7200 * SECOND, -86_400 * SECOND]) {
    time.wall += jump;
    const before = server.rotations.length;
    await time.until(tabs[3].session.refresh());
    await time.pass(10);
    const tokens = await time.until(Promise.all(tabs.map(({ session }) => session.accessToken())));
    assert.equal(new Set(tokens).size, 1);
    assert.equal(server.rotations.length, before + 1);
  }
});

test('what is not a session answer is not adopted', () => {
  const { browser } = signedIn();
  const { session } = browser.open();
  for (const wrong of [null, {}, { access_token: 'x' }, { access_token: 'x', expires_in: 'soon' }]) {
    assert.throws(() => session.adopt(wrong), TypeError);
  }
});

test('a listener that throws stops nobody, and one that left hears nothing', async (t) => {
  const thrown = [];
  globalThis.reportError = (error) => thrown.push(error.message);
  t.after(() => delete globalThis.reportError);
  const { time, browser } = signedIn();
  const tab = browser.open();
  const heard = [];
  const leave = tab.session.subscribe((event) => heard.push(event));
  tab.session.subscribe(() => {
    throw new Error('in the page');
  });
  await time.until(tab.session.accessToken());
  leave();
  await time.until(tab.session.refresh());
  assert.deepEqual(heard.map(({ type }) => type), ['signed_in']);
  assert.deepEqual(tab.events.map(({ type }) => type), ['signed_in', 'refreshed']);
  assert.deepEqual(thrown, ['in the page', 'in the page']);
});

test('what was closed sends nothing and tells nothing', async () => {
  const { time, browser } = signedIn();
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  tab.session.close();
  await time.pass(60 * MINUTE);
  assert.equal(refreshes(browser).length, 1);
  assert.equal(tab.session.account, null);
  await assert.rejects(tab.session.accessToken(), TypeError);
  await assert.rejects(tab.session.fetch('/api/auth/session'), TypeError);
});

// SE25
test('the token is in no storage, no event and no global', async () => {
  const { time, server, browser } = signedIn();
  const globals = Object.getOwnPropertyNames(globalThis).sort();
  const tab = browser.open();
  const token = await time.until(tab.session.accessToken());
  await time.until(tab.session.refresh());
  assert.deepEqual(Object.getOwnPropertyNames(globalThis).sort(), globals);
  assert.ok(server.tokens.has(token));
  assert.doesNotMatch(browser.storage.written.join('\n') + JSON.stringify(tab.events), /at\.s1/);
  assert.doesNotMatch(JSON.stringify(tab.session), /at\.s1/);
});

test('a browser that refuses its storage is one without', async () => {
  const { time, browser } = signedIn({ has: { locks: false } });
  const refuse = () => {
    throw new DOMException('The quota is full.', 'QuotaExceededError');
  };
  browser.storage = { getItem: refuse, setItem: refuse, removeItem: refuse };
  browser.weather = inOrder({ after: 'lost' });
  const tab = browser.open();
  assert.ok(await time.until(tab.session.accessToken()));
  const [first, second] = refreshes(browser);
  assert.equal(second.key, first.key);
});

test('a base is a bare origin, and https except on loopback', () => {
  const parts = { storage: null, locks: null, BroadcastChannel: null };
  for (const base of ['http://app.example', 'https://app.example/api', 'ftp://app.example', 'nonsense']) {
    assert.throws(() => createSession({ base, ...parts }), TypeError, base);
  }
  for (const base of ['https://app.example', 'http://127.0.0.1:8080', 'http://localhost:1']) {
    createSession({ base, ...parts }).close();
  }
});

test('where there is no page nobody is signed in', async () => {
  const session = createSession();
  assert.equal(await session.accessToken(), null);
  assert.equal(await session.refresh(), null);
  assert.equal(session.account, null);
  await session.signOut();
  assert.throws(() => session.adopt({}), TypeError);
  session.subscribe(() => {})();
  session.close();
});
