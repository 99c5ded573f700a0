/** The flows of `examples/` in the tests' Node-RED: picked in the import dialog, deployed, and their buttons pressed. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Aedes } from 'aedes';
import type { signIns } from '../../local-aws/client';
import { type Environment, useEnvironment } from '../account/environment';
import { type Bench, keysOf, type Queues, useBench, useQueues } from '../aws';
import { addressOfExample } from '../example-files';
import type { FlowNode, Message } from '../node-red';

/** What one press of a button leads to. */
export interface Story {
  /** The name of the inject node. */
  press: string;
  /** The status under the debug node, by its name. */
  shows: Record<string, string | RegExp>;
  /** What the message at the first of these debug nodes holds. */
  payload?: unknown;
  error?: { code: string | undefined; message: RegExp };
}

export const repository = join(__dirname, '..', '..');
export const packName = '@red-nimbus/node-red-aws';

export const warm = { room: 'Hall', heating: false, power: 0, message: 'Hall is warm enough' };
export const cold = { room: 'Study', heating: true, power: 100, message: 'Heating Study to 21 °C' };
export const accepted = { StatusCode: 202 };
export const messageId = /^message [0-9a-f]{8}$/;

/** Examples for those who come from another system, which have tests of their own. */
export const isMovingIn = (name: string): boolean => /^(from-|home-assistant)/.test(name);

export const readFlow = async (path: string): Promise<FlowNode[]> =>
  JSON.parse(await readFile(join(repository, path), 'utf8')) as FlowNode[];

export function named(flow: FlowNode[], type: string, name: string): FlowNode {
  const [node, ...more] = flow.filter((each) => each.type === type && each.name === name);
  assert.ok(node && more.length === 0, `there is one ${type} node named ${name}`);
  return node;
}

export const ofType = (flow: FlowNode[], type: string): FlowNode[] => flow.filter((node) => node.type === type);
/** With JSON's own objects: those of a function or an expression come from another realm. */
export const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

export interface Examples {
  environment: Environment;
  bench: Bench;
  queues: Queues;
  urlOf(queue: string): string;
  /** The first request that SNS got, by the names of the form's fields. */
  requestToSns(): Promise<Record<string, string>>;
  /** Sets the sign-in that a user has in the environment of Node-RED. */
  signIn(name: keyof typeof signIns): void;
  /** What the editor gets when a user picks an example in its import dialog. */
  offered(name: string): Promise<FlowNode[]>;
  /** Presses the button of an inject node, as the editor does. */
  press(flow: FlowNode[], name: string): Promise<void>;
  /** The next message at a debug node, once the node shows its status. */
  shown(flow: FlowNode[], name: string, status: string | RegExp): Promise<Message>;
  /** What the node has shown, without its having been cleared. */
  textsOf(id: string): string[];
  play(flow: FlowNode[], story: Story): Promise<void>;
}

/** A Node-RED and a local AWS for the tests of a file, whose queues are empty at the start of each. */
export function useExamples(): Examples {
  const environment = useEnvironment();
  const bench = useBench();
  const queues = useQueues(bench);

  const urlOf = (queue: string): string => `${bench.aws.url}/111111111111/${queue}`;

  async function requestToSns(): Promise<Record<string, string>> {
    const [request] = (await bench.aws.requests()).filter(({ service }) => service === 'sns');
    assert.ok(request);
    return request.input as Record<string, string>;
  }

  // What earlier tests have sent is not to be found by later ones.
  beforeEach(async () => {
    const all = ['orders', 'orders-dead-letters', 'orders.fifo', 'kitchen', 'billing', 'notifications', 'approvals'];
    for (const queue of [...all, 'decisions', 'pictures', 'readings']) await queues.purge(urlOf(queue));
  });

  function signIn(name: keyof typeof signIns): void {
    const { accessKeyId, secretAccessKey } = keysOf(name);
    environment.set({
      AWS_ENDPOINT_URL: bench.aws.url,
      NIMBUS_LOCAL_AWS: bench.aws.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: 'us-east-1'
    });
  }

  async function offered(name: string): Promise<FlowNode[]> {
    const answer = await bench.red.request(addressOfExample(packName, name));
    assert.equal(answer.status, 200);
    return (await answer.json()) as FlowNode[];
  }

  async function press(flow: FlowNode[], name: string): Promise<void> {
    const { status } = await bench.red.request(`inject/${named(flow, 'inject', name).id}`, { method: 'POST' });
    assert.equal(status, 200);
  }

  async function shown(flow: FlowNode[], name: string, status: string | RegExp): Promise<Message> {
    const { id } = named(flow, 'debug', name);
    const message = await bench.red.next(id);
    const texts = () => textsOf(id);
    const fits = () => texts().some((text) => (typeof status === 'string' ? text === status : status.test(text)));
    await bench.red.until(fits, `the status ${status} of ${name}`).catch((error: Error) => {
      throw new Error(`${error.message}; it shows: ${texts().join(' | ') || 'nothing'}`);
    });
    return message;
  }

  const textsOf = (id: string): string[] => bench.red.statuses(id).flatMap(({ text }) => text || []);

  async function play(flow: FlowNode[], { press: button, shows, payload, error }: Story): Promise<void> {
    await press(flow, button);
    const messages: Message[] = [];
    for (const [name, status] of Object.entries(shows)) messages.push(await shown(flow, name, status));
    const [first] = messages as [Message];
    if (payload !== undefined) assert.deepEqual(plain(first.payload), payload);
    if (!error) return assert.equal(first.error, undefined);
    const { code, message } = first.error as { code?: string; message: string };
    assert.equal(code, error.code);
    assert.match(message, error.message);
  }

  return { environment, bench, queues, urlOf, requestToSns, signIn, offered, press, shown, textsOf, play };
}

export interface Broker {
  /** Deploys an example with the broker's address filled in; resolves when it has subscribed. */
  deployed(example: string, brokerNode: string): Promise<FlowNode[]>;
  /** As a device does, at the broker. */
  publish(topic: string, payload: string): Promise<void>;
  /** Collects what is published on a topic from now on. */
  listen(topic: string): Promise<string[]>;
}

/** An MQTT broker for each test. */
export function useBroker({ bench, signIn, offered }: Examples): Broker {
  let broker: Aedes;
  let server: Server;

  beforeEach(async () => {
    const { Aedes } = await import('aedes');
    broker = await Aedes.createBroker();
    server = createServer(broker.handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await bench.red.deploy([]);
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    await new Promise((resolve) => server.close(resolve));
  });

  async function deployed(example: string, brokerNode: string): Promise<FlowNode[]> {
    signIn('demo');
    const flow = await offered(example);
    const port = String((server.address() as AddressInfo).port);
    Object.assign(named(flow, 'mqtt-broker', brokerNode), { broker: '127.0.0.1', port, usetls: false });
    const subscribed = new Promise<string[]>((resolve) =>
      broker.once('subscribe', (subscriptions: { topic: string }[]) => resolve(subscriptions.map(({ topic }) => topic)))
    );
    await bench.red.deploy(flow);
    assert.deepEqual(await subscribed, ['functions/+']);
    return flow;
  }

  const publish = (topic: string, payload: string): Promise<void> =>
    new Promise((resolve, reject) =>
      broker.publish(
        { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false },
        (error) => (error ? reject(error) : resolve())
      )
    );

  async function listen(topic: string): Promise<string[]> {
    const heard: string[] = [];
    await new Promise<void>((resolve) =>
      broker.subscribe(
        topic,
        (packet, done) => {
          heard.push(packet.payload.toString());
          done();
        },
        resolve
      )
    );
    return heard;
  }

  return { deployed, publish, listen };
}
