import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ORIGIN } from '../fakes/browser.js';
import { problem, refreshes, signedIn } from '../fakes/world.js';

const MINUTE = 60_000;

/** A tab whose token the server refuses from now on, though its session lives. */
async function refused() {
  const { time, server, browser } = signedIn();
  const tab = browser.open();
  const token = await time.until(tab.session.accessToken());
  server.tokens.delete(token);
  return { time, server, browser, tab, token };
}

/** What `tab` has sent to the paths of the page, not of the session. */
function calls(browser) {
  return browser.requests.filter(({ pathname }) => pathname !== '/api/auth/refresh');
}

test('a refused token is renewed once and the request sent again', async () => {
  const { time, browser, tab, token } = await refused();
  const response = await time.until(tab.session.fetch('/api/auth/session'));
  assert.equal(response.status, 200);
  const [first, second] = calls(browser);
  assert.equal(first.bearer, token);
  assert.notEqual(second.bearer, token);
  assert.equal(refreshes(browser).length, 2);
});

test('many requests that are refused at once make one rotation', async () => {
  const { time, browser, tab } = await refused();
  const asking = Array.from({ length: 10 }, () => tab.session.fetch('/api/auth/session'));
  const answers = await time.until(Promise.all(asking));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(refreshes(browser).length, 2);
});

test('no other code is worth a refresh', async () => {
  const { time, browser } = signedIn();
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  const codes = ['session_required', 'credentials_invalid', 'code_invalid', 'api_key_invalid'];
  for (const answer of [
    ...codes.map((code) => problem(401, code)),
    problem(403, 'session_invalid'),
    problem(500, 'session_invalid'),
  ]) {
    browser.weather = () => ({ before: answer });
    const response = await time.until(tab.session.fetch('/api/keys'));
    assert.equal(response.status, answer.status);
    assert.equal((await response.json()).code, answer.body.code);
  }
  assert.equal(refreshes(browser).length, 1);
});

test('a request is sent again once, however often it is refused', async () => {
  const { time, browser } = signedIn();
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  browser.weather = ({ pathname }) =>
    pathname === '/api/keys' ? { before: problem(401, 'session_invalid') } : {};
  const response = await time.until(tab.session.fetch('/api/keys'));
  assert.equal(response.status, 401);
  assert.equal(calls(browser).length, 2);
  assert.equal(refreshes(browser).length, 2);
});

test('a session that has ended shows in the answer, and is told', async () => {
  const { time, server, browser } = signedIn();
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  server.end('s1');
  const response = await time.until(tab.session.fetch('/api/auth/session'));
  assert.equal((await response.json()).code, 'session_invalid');
  assert.equal(tab.signedOut, 'refresh_invalid');
  assert.equal(calls(browser).length, 1);
});

for (const [kind, body] of [
  ['text', () => '{"name":"ci"}'],
  ['bytes', () => new TextEncoder().encode('{"name":"ci"}')],
  ['a blob', () => new Blob(['{"name":"ci"}'])],
]) {
  test(`a body of ${kind} is sent again as it was`, async () => {
    const { time, browser, tab } = await refused();
    await time.until(tab.session.fetch('/api/keys', { method: 'POST', body: body() }));
    assert.deepEqual(calls(browser).map((call) => call.body), ['{"name":"ci"}', '{"name":"ci"}']);
  });
}

test('a body is what it was when it was handed over', async () => {
  const { time, browser, tab } = await refused();
  const bytes = new TextEncoder().encode('before');
  const sending = tab.session.fetch('/api/keys', { method: 'POST', body: bytes });
  bytes.fill(46);
  await time.until(sending);
  assert.deepEqual(calls(browser).map((call) => call.body), ['before', 'before']);
});

test('a Request is sent again too, and stays its owner’s', async () => {
  const { time, browser, tab } = await refused();
  const request = new Request(`${ORIGIN}/api/keys`, { method: 'POST', body: 'x' });
  await time.until(tab.session.fetch(request));
  assert.deepEqual(calls(browser).map((call) => call.body), ['x', 'x']);
  assert.equal(request.headers.has('authorization'), false);
});

test('a stream is sent once', async () => {
  const { time, browser, tab } = await refused();
  const body = new Blob(['streamed']).stream();
  const init = { method: 'POST', body, duplex: 'half' };
  const response = await time.until(tab.session.fetch('/api/keys', init));
  assert.equal(response.status, 401);
  assert.deepEqual(calls(browser).map((call) => call.body), ['streamed']);
});

// SE25
test('no other origin gets the token', async () => {
  const { time, browser } = signedIn();
  const tab = browser.open();
  const token = await time.until(tab.session.accessToken());
  const elsewhere = [
    'https://third.example/',
    'https://app.example.third.example/',
    'https://app.example:8443/',
    'http://app.example/',
    '//third.example/api/keys',
    new URL('https://third.example/'),
    new Request('https://third.example/'),
  ];
  for (const url of elsewhere) await time.until(tab.session.fetch(url));
  for (const each of browser.requests.filter(({ origin }) => origin !== ORIGIN)) {
    assert.equal(each.bearer, undefined, each.url);
  }
  assert.equal(calls(browser).length, elsewhere.length);
  for (const url of ['/api/keys', `${ORIGIN}/api/keys`, new URL('/x', ORIGIN)]) {
    await time.until(tab.session.fetch(url));
    assert.equal(browser.requests.at(-1).bearer, token);
  }
});

test('a credential of the caller’s own is left alone', async () => {
  const { time, browser, tab } = await refused();
  for (const headers of [{ authorization: 'Bearer ps_x' }, { 'x-api-key': 'ps_x' }]) {
    await time.until(tab.session.fetch('/api/v1/whoami', { headers }));
  }
  assert.deepEqual(calls(browser).map(({ bearer }) => bearer), ['ps_x', undefined]);
  assert.equal(refreshes(browser).length, 1);
});

test('who is not signed in sends no token, and asks no more', async () => {
  const { time, browser } = signedIn();
  browser.jar = '';
  const tab = browser.open();
  for (let i = 0; i < 3; i += 1) {
    const response = await time.until(tab.session.fetch('/api/auth/session'));
    assert.equal((await response.json()).code, 'session_required');
  }
  assert.equal(refreshes(browser).length, 1);
});

test('a clock that was put back costs one more request, not the session', async () => {
  const { time, browser } = signedIn();
  const tab = browser.open({ BroadcastChannel: null });
  await time.until(tab.session.accessToken());
  time.wall -= 24 * 60 * MINUTE;
  for (let hour = 0; hour < 3; hour += 1) {
    await time.pass(60 * MINUTE);
    const response = await time.until(tab.session.fetch('/api/auth/session'));
    assert.equal(response.status, 200);
  }
  assert.equal(tab.signedOut, undefined);
});

test('the caller can still call it off', async () => {
  const { time, browser } = signedIn();
  const tab = browser.open();
  await time.until(tab.session.accessToken());
  browser.weather = () => ({ before: 'hang' });
  const stop = new AbortController();
  const asking = tab.session.fetch('/api/keys', { signal: stop.signal });
  await time.pass(1000);
  stop.abort();
  await assert.rejects(time.until(asking), { name: 'AbortError' });
});
