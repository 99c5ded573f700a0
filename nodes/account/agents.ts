import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { foreignAnswer } from '../fields/errors';
import type { AccountProxy } from './proxy';

/** The method that Node.js calls on an agent for each request. Its types do not have it. */
interface Requesting {
  addRequest(request: http.ClientRequest, ...more: unknown[]): void;
}

/**
 * Any number of sockets, as in Node.js and in Node-RED's http request node: the flow decides how much it sends at once.
 */
const options = { keepAlive: true, maxSockets: Infinity };

/**
 * Fails a request whose server switches to another protocol. Without a listener Node.js would just close the
 * connection.
 */
function refuseUpgrades(agent: http.Agent): void {
  const requesting = agent as http.Agent & Requesting;
  const { addRequest } = requesting;
  requesting.addRequest = (request, ...more) => {
    request.on('upgrade', ({ statusCode }, socket) => {
      socket.destroy();
      request.emit('error', foreignAnswer(statusCode));
    });
    addRequest.call(agent, request, ...more);
  };
}

/** The connections of an account, kept open for its next requests. */
export class Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  /** When each idle connection brought its last answer, in ms of `performance.now()`. */
  readonly #answered = new WeakMap<Duplex, number>();

  /** `tls`: options of all TLS connections, such as a certificate to show. */
  constructor(proxy: AccountProxy, tls: https.AgentOptions = {}) {
    const all = { ...options, ...tls };
    const agents = proxy.agents(all);
    this.httpAgent = agents?.httpAgent ?? new http.Agent(all);
    this.httpsAgent = agents?.httpsAgent ?? new https.Agent(all);
    for (const agent of [this.httpAgent, this.httpsAgent]) {
      refuseUpgrades(agent);
      agent.on('free', (socket: Duplex) => this.#answered.set(socket, performance.now()));
    }
  }

  /**
   * Closes the connections that have been idle for so many ms. If one of them has died unnoticed, the others may have died
   * as well, and each further request would run into another dead one.
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

  /** Expects the connections that have been idle for longest first. */
  #closeOld(idle: readonly Duplex[], since: number): void {
    for (const socket of idle) {
      if ((this.#answered.get(socket) ?? 0) >= since) return;
      socket.destroy();
    }
  }
}
