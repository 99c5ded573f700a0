import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { foreignAnswer } from '../fields/errors';
import type { AccountProxy } from './proxy';

/** What Node.js has an agent do with each request, which its types do not tell. */
interface Requesting {
  addRequest(request: http.ClientRequest, ...more: unknown[]): void;
}

/** As Node.js and Node-RED's own request node: the flow decides how much runs at once. */
const options = { keepAlive: true, maxSockets: Infinity };

/** A server that goes on in another protocol than HTTP will never answer: without a listener nobody would be told. */
function refuseUpgrades(agent: http.Agent): void {
  const requesting = agent as http.Agent & Requesting;
  const { addRequest } = requesting;
  requesting.addRequest = (request, ...more) => {
    request.once('upgrade', ({ statusCode }, socket) => {
      socket.destroy();
      request.emit('error', foreignAnswer(statusCode));
    });
    addRequest.call(agent, request, ...more);
  };
}

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
      refuseUpgrades(agent);
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
      for (const name in freeSockets) this.#closeOld(freeSockets[name] ?? [], since);
    }
  }

  destroy(): void {
    this.httpAgent.destroy();
    this.httpsAgent.destroy();
  }

  /** Those that have been idle longest are first. */
  #closeOld(idle: readonly Duplex[], since: number): void {
    for (const socket of idle) {
      if ((this.#answered.get(socket) ?? 0) >= since) return;
      socket.destroy();
    }
  }
}
