import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { AccountProxy } from './proxy';

/** As Node.js and Node-RED's own request node: the flow decides how much runs at once. */
const options = { keepAlive: true, maxSockets: Infinity };

/** The connections of an account, which are kept for its next requests. */
export class Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  /** When an answer came through a connection that is idle now, ms of `performance.now()`. */
  readonly #answered = new WeakMap<Duplex, number>();

  constructor(proxy: AccountProxy) {
    const agents = proxy.agents(options);
    this.httpAgent = agents?.httpAgent ?? new http.Agent(options);
    this.httpsAgent = agents?.httpsAgent ?? new https.Agent(options);
    for (const agent of [this.httpAgent, this.httpsAgent]) {
      agent.on('free', (socket: Duplex) => this.#answered.set(socket, performance.now()));
    }
  }

  /**
   * Closes connections that have been idle for so many ms. When one has died unnoticed, its neighbours may have as well,
   * and each next request would try another one of them.
   */
  closeIdle(ms: number): void {
    const since = performance.now() - ms;
    for (const { freeSockets } of [this.httpAgent, this.httpsAgent]) {
      const idle = Object.values(freeSockets).flatMap((sockets) => sockets ?? []);
      for (const socket of idle) if ((this.#answered.get(socket) ?? 0) < since) socket.destroy();
    }
  }
}
