// A mail server that keeps what it is given.
import assert from 'node:assert/strict';
import net from 'node:net';
import { eventually } from './world.mjs';

export class Mails {
  #kept = [];
  #server;

  static async receive(port) {
    const mails = new Mails();
    mails.#server = net.createServer((socket) => mails.#speak(socket));
    await new Promise((resolve) => mails.#server.listen(port, '127.0.0.1', resolve));
    return mails;
  }

  close() {
    this.#server.close();
  }

  /** The code in the newest mail to an address. */
  async code(email) {
    const isIn = () => this.#kept.some(({ to }) => to === email);
    assert.ok(await eventually(isIn), `no mail to ${email}`);
    const { text } = this.#kept.findLast(({ to }) => to === email);
    return /^Subject: (\d{6,8}) /m.exec(text)[1];
  }

  /** As much of RFC 5321 as a client needs that says EHLO. */
  #speak(socket) {
    const say = (line) => socket.write(`${line}\r\n`);
    let [to, lines, pending] = [null, null, ''];
    socket.on('error', () => {});
    socket.unref();
    say('220 mails');
    const hear = (line) => {
      if (lines !== null) {
        if (line !== '.') return lines.push(line);
        this.#kept.push({ to, text: lines.join('\n') });
        lines = null;
        return say('250 kept');
      }
      if (/^RCPT/i.test(line)) to = /<(.*)>/.exec(line)[1];
      if (!/^DATA/i.test(line)) return say(/^QUIT/i.test(line) ? '221 bye' : '250 fine');
      lines = [];
      return say('354 go on');
    };
    socket.setEncoding('utf8').on('data', (text) => {
      const parts = (pending + text).split('\r\n');
      pending = parts.pop();
      for (const line of parts) hear(line);
    });
  }
}
