/** Stands in for Home Assistant: its REST and WebSocket API, as far as the examples use it, answering as its documentation says. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

/** An event on Home Assistant's bus. */
export interface HaEvent {
  event_type: string;
  data: Record<string, unknown>;
}

export interface HaState {
  entity_id: string;
  state: string;
  attributes: Record<string, unknown>;
}

/** A call of an action, such as `notify.mobile_app_phone`. */
export interface HaCall {
  action: string;
  data: Record<string, unknown>;
}

type Command = { id?: number; type: string; [member: string]: unknown };

/** What is used of a connection of Node-RED's own `ws`. */
interface Socket {
  on(event: 'message', listener: (data: Buffer) => void): void;
  on(event: 'close', listener: () => void): void;
  send(text: string): void;
}
interface SocketServer {
  on(event: 'connection', listener: (socket: Socket) => void): void;
  clients: Set<{ terminate(): void }>;
}

const version = '2026.11.3';

export class HomeAssistant {
  /** A long-lived access token. */
  readonly token = 'a long-lived token';
  readonly config = {
    latitude: 44.12,
    longitude: 5.57,
    elevation: 120,
    location_name: 'Home',
    time_zone: 'Europe/Zurich',
    unit_system: { length: 'km', temperature: '°C' },
    components: ['recorder', 'notify', 'camera'],
    version
  };
  /** What cameras show, by entity. */
  readonly cameras = new Map<string, Buffer>();
  readonly states = new Map<string, HaState>();
  readonly calls: HaCall[] = [];
  readonly events: HaEvent[] = [];
  /** Actions that there are; others are refused. */
  readonly actions = [
    'notify.mobile_app_phone',
    'notify.sns',
    'notify.sqs',
    'notify.lambda',
    'persistent_notification.create'
  ];
  readonly #subscriptions = new Map<Socket, number[]>();
  readonly #server: Server;
  readonly #sockets: SocketServer;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
    const { Server: WebSocketServer } = createRequire(require.resolve('node-red'))('ws') as {
      Server: new (options: { server: Server; path: string }) => SocketServer;
    };
    this.#sockets = new WebSocketServer({ server: this.#server, path: '/api/websocket' });
    this.#sockets.on('connection', (socket) => this.#greet(socket));
  }

  static async start(): Promise<HomeAssistant> {
    const started = new HomeAssistant();
    await new Promise<void>((resolve) => started.#server.listen(0, '127.0.0.1', resolve));
    return started;
  }

  async stop(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Whether somebody listens to its events. */
  get heard(): boolean {
    return [...this.#subscriptions.values()].some((ids) => ids.length > 0);
  }

  /** As a device does. */
  setState(entityId: string, state: string, attributes: Record<string, unknown> = {}): HaState {
    const before = this.states.get(entityId) ?? null;
    const after = { entity_id: entityId, state, attributes };
    this.states.set(entityId, after);
    this.fire('state_changed', { entity_id: entityId, old_state: before, new_state: after });
    return after;
  }

  fire(type: string, data: Record<string, unknown>): void {
    this.events.push({ event_type: type, data });
    const context = { id: '326ef27d19415c60c492fe330945f954', parent_id: null, user_id: null };
    const event = { event_type: type, data, origin: 'LOCAL', time_fired: new Date().toISOString(), context };
    for (const [socket, ids] of this.#subscriptions) {
      for (const id of ids) socket.send(JSON.stringify({ id, type: 'event', event }));
    }
  }

  /** As an automation calls an action: the event comes first, then the action runs. */
  call(action: string, data: Record<string, unknown>): void {
    assert.ok(this.actions.includes(action), action);
    const [domain = '', service = ''] = action.split('.');
    this.calls.push({ action, data });
    this.fire('call_service', { domain, service, service_data: data });
  }

  #greet(socket: Socket): void {
    const say = (message: object): void => socket.send(JSON.stringify(message));
    let known = false;
    say({ type: 'auth_required', ha_version: version });
    socket.on('close', () => this.#subscriptions.delete(socket));
    socket.on('message', (data) => {
      const command = JSON.parse(String(data)) as Command;
      if (known) return say(this.#result(socket, command));
      known = command.type === 'auth' && command.access_token === this.token;
      if (known) this.#subscriptions.set(socket, []);
      say(
        known
          ? { type: 'auth_ok', ha_version: version }
          : { type: 'auth_invalid', message: 'Invalid access token or password' }
      );
    });
  }

  #result(socket: Socket, { id, type, ...command }: Command): object {
    const fine = (result: unknown): object => ({ id, type: 'result', success: true, result });
    const refused = (code: string, message: string): object => ({
      id,
      type: 'result',
      success: false,
      error: { code, message }
    });
    switch (type) {
      case 'subscribe_events':
        this.#subscriptions.get(socket)?.push(Number(id));
        return fine(null);
      case 'fire_event':
        this.fire(String(command.event_type), (command.event_data ?? {}) as Record<string, unknown>);
        return fine({ context: { id: '326ef27d19415c60c492fe330945f954', parent_id: null, user_id: null } });
      case 'call_service': {
        const action = `${command.domain}.${command.service}`;
        if (!this.actions.includes(action)) return refused('not_found', `Service ${action} not found.`);
        this.call(action, (command.service_data ?? {}) as Record<string, unknown>);
        return fine({ context: {}, response: null });
      }
      default:
        return refused('unknown_command', 'Unknown command.');
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      response.writeHead(401, { 'Content-Type': 'text/plain' }).end('401: Unauthorized');
      return;
    }
    const [, kind = '', entity = ''] = /^\/api\/(\w+)(?:\/([\w.]+))?$/.exec(request.url ?? '') ?? [];
    const picture = this.cameras.get(entity);
    if (request.method === 'GET' && kind === 'config') json(200, this.config);
    else if (request.method === 'GET' && kind === 'camera_proxy' && picture) {
      response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(picture);
    } else if (request.method === 'POST' && kind === 'states') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { state, attributes } = JSON.parse(Buffer.concat(chunks).toString()) as {
        state?: unknown;
        attributes?: object;
      };
      if (state === undefined) return json(400, { message: 'No state specified.' });
      json(this.states.has(entity) ? 200 : 201, this.setState(entity, String(state), { ...attributes }));
    } else json(404, { message: 'Not found' });
  }
}
