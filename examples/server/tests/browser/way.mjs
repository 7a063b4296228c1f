// A way to the server on which answers get lost: the server answers, the browser never hears of it.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export const REFRESH = '/api/auth/refresh';

export class Way {
  /** How many of the next answers to a refresh get lost. */
  toLose = 0;
  /** How long an answer to a refresh is under way, in milliseconds. */
  delay = 0;
  /** What has become of every refresh. */
  refreshes = [];
  /** How many refreshes are under way. */
  underWay = 0;
  #server;

  /** From this port to the server at `upstream`. */
  static async lay(port, upstream) {
    const way = new Way();
    way.#server = http.createServer((request, response) => way.#carry(upstream, request, response));
    // A connection carries one request, so that a browser cannot send a lost one again by itself.
    way.#server.maxRequestsPerSocket = 1;
    await new Promise((resolve) => way.#server.listen(port, '127.0.0.1', resolve));
    return way;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #carry(upstream, request, response) {
    const { method, url, headers } = request;
    const isRefresh = url === REFRESH;
    if (isRefresh) this.underWay += 1;
    const onwards = http.request(upstream, { path: url, method, headers, setHost: false });
    // Whatever the browser does meanwhile, the server answers, as it would across a network.
    onwards.on('response', async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      const body = Buffer.concat(parts);
      if (isRefresh) await sleep(this.delay);
      if (isRefresh) this.underWay -= 1;
      if (isRefresh && this.#isLost(headers, answer.statusCode, body)) {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.statusCode, answer.rawHeaders);
      response.end(body);
    });
    onwards.on('error', () => {
      if (isRefresh) this.underWay -= 1;
      request.socket.destroy();
    });
    request.pipe(onwards);
  }

  #isLost(headers, status, body) {
    const { code = null } = JSON.parse(body);
    const isLost = this.toLose > 0;
    if (isLost) this.toLose -= 1;
    this.refreshes.push({ key: headers['idempotency-key'], status, code, isLost });
    return isLost;
  }
}
