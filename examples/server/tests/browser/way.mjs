// A way to the server on which answers get lost: the server answers, the browser never hears of it.
import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export const REFRESH = '/api/auth/refresh';

export class Way {
  /** How many of the next answers to a refresh get lost. */
  toLose = 0;
  /** How long an answer to a refresh is under way, in milliseconds. */
  delay = 0;
  /** What has become of every refresh. */
  refreshes = [];
  /** How many refreshes have come, and how many of them are under way. */
  arrived = 0;
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

  async #carry(upstream, request, response) {
    const isRefresh = request.url === REFRESH;
    if (isRefresh) {
      this.arrived += 1;
      this.underWay += 1;
    }
    try {
      const { status, headers, body } = await handOn(upstream, request);
      if (isRefresh) await sleep(this.delay);
      if (isRefresh && this.#isLost(request.headers, status, body)) {
        request.socket.destroy();
        return;
      }
      response.writeHead(status, headers);
      response.end(body);
    } catch (error) {
      console.error(`on the way of ${request.url}: ${error.stack}`);
      request.socket.destroy();
    } finally {
      if (isRefresh) this.underWay -= 1;
    }
  }

  #isLost(headers, status, body) {
    const { code = null } = JSON.parse(body);
    const isLost = this.toLose > 0;
    if (isLost) this.toLose -= 1;
    this.refreshes.push({ key: headers['idempotency-key'], status, code, isLost });
    return isLost;
  }
}

/**
 * What the server answers, whatever the browser does meanwhile, as it would across a network. Each
 * request has a connection of its own: one that is kept may be closed just as it is used again.
 */
async function handOn(upstream, request) {
  const { method, url: path, headers } = request;
  const onwards = http.request(upstream, { path, method, headers, setHost: false, agent: false });
  request.pipe(onwards);
  const [answer] = await once(onwards, 'response');
  return { status: answer.statusCode, headers: answer.rawHeaders, body: await buffer(answer) };
}
