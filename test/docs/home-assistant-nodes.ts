/**
 * Stand in for those nodes of node-red-contrib-home-assistant-websocket that the examples use, since the pack does not
 * depend on them. They read the same properties of a saved flow and speak to Home Assistant's API: no more than that.
 */
import { createRequire } from 'node:module';
import { type Message, nodeRedVersion, type RunningNode } from '../node-red';

type Config = Record<string, unknown> & { id: string; server?: string };
type Evaluate = (expression: unknown, message: Message, done: (error: Error | null, value: unknown) => void) => void;
type Constructor = (this: StandIn, config: Config) => void;

interface StandIn extends RunningNode {
  on(
    event: 'input',
    listener: (msg: Message, send: (msg: unknown) => void, done: (error?: unknown) => void) => void
  ): void;
  on(event: 'close', listener: () => void): void;
}

interface Runtime {
  createNode(node: StandIn, config: Config): void;
  getNode(id: string): unknown;
  registerType(set: string, type: string, create: Constructor, options?: object): void;
}

interface HomeAssistantServer extends StandIn {
  credentials: { host: string; access_token: string };
  command(command: object): Promise<unknown>;
}

interface BusEvent {
  event_type: string;
  data: Record<string, unknown>;
}

/** The types that stand in for those of Home Assistant. */
export const homeAssistantTypes = [
  'server',
  'ha-api',
  'api-call-service',
  'ha-fire-event',
  'server-events',
  'server-state-changed'
];

/** Who listens to the events of a server, by the server's id. */
const listeners = new Map<string, Set<(event: BusEvent) => void>>();

/** Makes the types known to the tests' Node-RED, once in a process. */
export function registerHomeAssistantNodes(): void {
  const inside = createRequire(require.resolve(nodeRedVersion === 4 ? 'node-red-4' : 'node-red'));
  const runtime = inside('@node-red/runtime/lib/nodes') as Runtime;
  const { util } = inside('@node-red/util') as {
    util: {
      prepareJSONataExpression(text: string, node: StandIn): unknown;
      evaluateJSONataExpression: Evaluate;
      setMessageProperty(msg: Message, property: string, value: unknown, create: boolean): void;
    };
  };
  const serverOf = ({ server }: Config): HomeAssistantServer => runtime.getNode(String(server)) as HomeAssistantServer;

  const dataOf = (node: StandIn, config: Config, message: Message): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (config.data === '') return resolve(undefined);
      const expression = util.prepareJSONataExpression(String(config.data), node);
      util.evaluateJSONataExpression(expression, message, (error, value) =>
        // With JSON's own objects: what goes over the wire is JSON.
        error ? reject(error) : resolve(value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
      );
    });

  const setOutputs = (config: Config, message: Message, values: Record<string, unknown>): void => {
    const outputs = config.outputProperties as { property: string; valueType: string }[];
    for (const { property, valueType } of outputs) util.setMessageProperty(message, property, values[valueType], true);
  };

  function register(type: string, create: Constructor, options?: object): void {
    const started: Constructor = function (config) {
      runtime.createNode(this, config);
      create.call(this, config);
    };
    runtime.registerType('home-assistant-stand-in', type, started, options);
  }

  /** An action node: what it does with a message, which then goes on. */
  function action(type: string, act: (node: StandIn, config: Config, msg: Message) => Promise<unknown>): void {
    register(type, function (config) {
      this.on('input', (msg, send, done) => {
        act(this, config, msg).then((results) => {
          if (config.outputProperties) setOutputs(config, msg, { results });
          send(msg);
          done();
        }, done);
      });
    });
  }

  /** A node that begins a flow with an event of the server. */
  function trigger(type: string, onEvent: (node: StandIn, config: Config, event: BusEvent) => void): void {
    register(type, function (config) {
      const id = String(config.server);
      const listener = (event: BusEvent): void => onEvent(this, config, event);
      listeners.set(id, (listeners.get(id) ?? new Set()).add(listener));
      this.on('close', () => listeners.get(id)?.delete(listener));
    });
  }

  register(
    'server',
    function ({ id }) {
      const { host = '', access_token = '' } = this.credentials ?? {};
      const socket = new WebSocket(`${host.replace(/^http/, 'ws')}/api/websocket`);
      const open = new Map<number, (answer: Record<string, unknown>) => void>();
      let last = 0;
      const command = (content: object): Promise<unknown> =>
        new Promise((resolve, reject) => {
          last += 1;
          open.set(last, ({ success, result, error }) =>
            success ? resolve(result) : reject(new Error((error as { message: string }).message))
          );
          socket.send(JSON.stringify({ id: last, ...content }));
        });
      socket.addEventListener('message', ({ data }) => {
        const message = JSON.parse(String(data)) as Record<string, unknown>;
        if (message.type === 'auth_required') socket.send(JSON.stringify({ type: 'auth', access_token }));
        if (message.type === 'auth_ok') void command({ type: 'subscribe_events' });
        if (message.type === 'result') open.get(Number(message.id))?.(message);
        if (message.type === 'event')
          for (const listener of listeners.get(id) ?? []) listener(message.event as BusEvent);
      });
      this.on('close', () => socket.close());
      Object.assign(this, { command });
    },
    { credentials: { host: { type: 'text' }, access_token: { type: 'text' } } }
  );

  action('ha-api', async (node, config, msg) => {
    const { credentials } = serverOf(config);
    const data = await dataOf(node, config, msg);
    const answer = await fetch(`${credentials.host}/api/${config.path}`, {
      method: String(config.method).toUpperCase(),
      headers: { Authorization: `Bearer ${credentials.access_token}`, 'Content-Type': 'application/json' },
      ...(data !== undefined && { body: JSON.stringify(data) })
    });
    if (!answer.ok) throw new Error(`Request failed with status code ${answer.status}`);
    return config.responseType === 'arraybuffer' ? Buffer.from(await answer.arrayBuffer()) : answer.json();
  });

  action('api-call-service', async (node, config, msg) => {
    const [domain, service] = String(config.action).split('.');
    const service_data = await dataOf(node, config, msg);
    return serverOf(config).command({ type: 'call_service', domain, service, service_data });
  });

  action('ha-fire-event', async (node, config, msg) => {
    const event_data = await dataOf(node, config, msg);
    return serverOf(config).command({ type: 'fire_event', event_type: config.event, event_data });
  });

  trigger('server-events', (node, config, { event_type, data }) => {
    const wanted = config.eventData === '' ? {} : (JSON.parse(String(config.eventData)) as Record<string, unknown>);
    if (event_type !== config.eventType || Object.entries(wanted).some(([name, value]) => data[name] !== value)) return;
    const msg: Message = {};
    setOutputs(config, msg, { eventData: { event_type, event: data } });
    node.send(msg);
  });

  trigger('server-state-changed', (node, config, { event_type, data }) => {
    const { entity } = config.entities as { entity: string[] };
    if (event_type !== 'state_changed' || !entity.includes(String(data.entity_id))) return;
    const { state } = data.new_state as { state: string };
    node.send(state === config.ifState ? [{}, null] : [null, {}]);
  });
}
