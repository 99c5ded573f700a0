/** The flows of `examples/` and `demo/`, as a user meets them: imported, deployed, and their buttons pressed. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Aedes } from 'aedes';
import { LocalAws, signIns } from '../local-aws/client';
import { keysOf, useBench } from './aws';
import { contract, literals, sources } from './contract';
import { useEnvironment } from './environment';
import type { FlowNode, Message } from './node-red';

/** What one press of a button leads to. */
interface Story {
  /** The name of the inject node. */
  press: string;
  /** The status under the debug node, by its name. */
  shows: Record<string, string | RegExp>;
  /** What the message at the first of these debug nodes holds. */
  payload?: unknown;
  error?: { code: string; message: RegExp };
}

const repository = join(__dirname, '..');
const packName = '@red-nimbus/node-red-aws';

const warm = { room: 'Hall', heating: false, power: 0, message: 'Hall is warm enough' };
const cold = { room: 'Study', heating: true, power: 100, message: 'Heating Study to 21 °C' };
const accepted = { StatusCode: 202 };

/** What is said of each example but mqtt-topic-to-lambda, whose messages come from a broker. */
const stories: Record<string, Story[]> = {
  'lambda-invoke': [
    { press: 'study, 18.2 °C', shows: { answer: 'Heating Study to 21 °C' }, payload: cold },
    { press: 'hall, 22 °C', shows: { answer: 'Hall is warm enough' }, payload: warm },
    {
      press: 'broken sensor',
      shows: { error: /^FunctionError/ },
      payload: { room: 'Cellar' },
      error: { code: 'FunctionError', message: /TypeError: temperature must be a number of degrees/ }
    }
  ],
  'lambda-invoke-async': [
    { press: 'wait 5 seconds', shows: { accepted: 'status 202' }, payload: accepted },
    { press: 'wait 10 seconds', shows: { accepted: 'status 202' }, payload: accepted }
  ],
  'lambda-list': [
    { press: 'list', shows: { functions: /^\d+ functions$/ } },
    { press: 'first page', shows: { page: '5 functions, and more' } }
  ]
};

const demoStories: Story[] = [
  { press: 'Ada', shows: { greeting: 'Hello, Ada!' }, payload: { greeting: 'Hello, Ada!' } },
  { press: 'Grace', shows: { greeting: 'Hello, Grace!' }, payload: { greeting: 'Hello, Grace!' } },
  { press: 'study, 18.2 °C', shows: { decision: 'Heating Study to 21 °C' }, payload: cold },
  { press: 'hall, 22 °C', shows: { decision: 'Hall is warm enough' }, payload: warm },
  {
    press: 'ask the cellar',
    shows: { why: 'SensorOffline' },
    payload: { sensor: 'cellar' },
    error: { code: 'FunctionError', message: /The sensor cellar does not answer/ }
  },
  { press: '5 seconds’ work', shows: { accepted: 'status 202' }, payload: accepted },
  {
    press: 'Bo',
    shows: { together: '3 answers' },
    payload: [
      { target: 'hello:1', result: { greeting: 'Good day, Bo.' } },
      { target: 'hello:2', result: { greeting: 'Hi, Bo!' } },
      { target: 'hello:next', result: { greeting: 'Hello, Bo!' } }
    ]
  },
  { press: 'talk', shows: { log: /^Duration: [\d.]+ ms$/ }, payload: { lines: 12 } },
  { press: 'list', shows: { functions: /^\d+ functions$/ } }
];

const readFlow = async (path: string): Promise<FlowNode[]> =>
  JSON.parse(await readFile(join(repository, path), 'utf8')) as FlowNode[];

function named(flow: FlowNode[], type: string, name: string): FlowNode {
  const [node, ...more] = flow.filter((each) => each.type === type && each.name === name);
  assert.ok(node && more.length === 0, `there is one ${type} node named ${name}`);
  return node;
}

const ofType = (flow: FlowNode[], type: string): FlowNode[] => flow.filter((node) => node.type === type);
/** With JSON's own objects: those of a function or an expression come from another realm. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

/** Every string in it, however deep. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

describe('the flows that come with the pack', () => {
  const environment = useEnvironment();
  const bench = useBench();

  /** The sign-in that a user has in the environment of Node-RED. */
  function signIn(name: keyof typeof signIns): void {
    const { accessKeyId, secretAccessKey } = keysOf(name);
    environment.set({
      AWS_ENDPOINT_URL: bench.aws.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: 'us-east-1'
    });
  }

  /** What the editor gets when a user picks an example in its import dialog. */
  async function offered(name: string): Promise<FlowNode[]> {
    const answer = await bench.red.request(`library/examples/flows/${packName}/${name}`);
    assert.equal(answer.status, 200);
    return (await answer.json()) as FlowNode[];
  }

  /** Presses the button of an inject node, as the editor does. */
  async function press(flow: FlowNode[], name: string): Promise<void> {
    const { status } = await bench.red.request(`inject/${named(flow, 'inject', name).id}`, { method: 'POST' });
    assert.equal(status, 200);
  }

  /** The next message at a debug node, once the node shows its status. */
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

  /** What the node has shown, without its having been cleared. */
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

  describe('are well made:', () => {
    const files: string[] = [];
    const flows = new Map<string, FlowNode[]>();
    let core: Set<string>;

    before(async () => {
      const examples = await readdir(join(repository, 'examples'));
      files.push(...examples.map((file) => `examples/${file}`), 'demo/flows.json');
      for (const file of files) flows.set(file, await readFlow(file));
      const answer = await bench.red.request('nodes', { headers: { Accept: 'application/json' } });
      const sets = (await answer.json()) as { module: string; types: string[] }[];
      core = new Set(sets.filter(({ module }) => module === 'node-red').flatMap(({ types }) => types));
    });

    /** Fails with everything that is wrong with any of them, by file. */
    function each(problemsIn: (flow: FlowNode[], file: string) => string[]): void {
      assert.ok(flows.size > 4);
      const problems = [...flows].flatMap(([file, flow]) =>
        problemsIn(flow, file).map((problem) => `${file}: ${problem}`)
      );
      assert.deepEqual(problems, []);
    }
    const own = (flow: FlowNode[]) => flow.filter(({ type }) => type.startsWith('aws-'));

    it('they have nodes of Node-RED itself and of the pack only', () => {
      const structure = ['tab', 'group', 'subflow'];
      each((flow) =>
        flow
          .filter(({ type }) => !core.has(type) && !structure.includes(type) && !(type in contract))
          .map(({ type }) => `${type} is no such node`)
      );
    });

    it('their ids are Node-RED’s, and no two nodes of all of them have the same one', () => {
      const seen = new Map<string, string>();
      each((flow, file) =>
        flow.flatMap(({ id }) => {
          const other = seen.get(id);
          seen.set(id, file);
          if (!/^[0-9a-f]{16}$/.test(id)) return [`${id} is no id`];
          return other ? [`${id} is in ${other}, too`] : [];
        })
      );
    });

    it('everything that they refer to is in them', () => {
      each((flow) => {
        const ids = new Set(flow.map(({ id }) => id));
        return flow.flatMap((node) =>
          stringsIn(node)
            .filter((text) => /^[0-9a-f]{14,18}$/.test(text) && !ids.has(text))
            .map((text) => `${node.type} ${node.id} refers to ${text}`)
        );
      });
    });

    it('groups and their nodes agree', () => {
      each((flow) =>
        ofType(flow, 'group').flatMap(({ id, nodes }) => {
          const inside = flow.filter(({ g }) => g === id).map((node) => node.id);
          const listed = nodes as string[];
          return inside.length === listed.length && inside.every((one) => listed.includes(one)) ? [] : [`group ${id}`];
        })
      );
    });

    it('every action has an account', () => {
      each((flow) => {
        const accounts = ofType(flow, 'aws-account').map(({ id }) => id);
        return own(flow)
          .filter(({ type, account }) => type !== 'aws-account' && !accounts.includes(account as string))
          .map(({ id }) => id);
      });
    });

    it('each node of the pack has all properties of the contract and no other', () => {
      const ofEveryNode = ['id', 'type', 'z', 'g', 'x', 'y', 'wires'];
      each((flow) =>
        own(flow).flatMap((node) => {
          const expected = Object.keys(contract[node.type]?.properties ?? {});
          const found = Object.keys(node).filter((key) => !ofEveryNode.includes(key));
          return [
            ...expected.filter((key) => !found.includes(key)).map((key) => `${node.type} ${node.id} lacks ${key}`),
            ...found.filter((key) => !expected.includes(key)).map((key) => `${node.type} ${node.id} has ${key}`)
          ];
        })
      );
    });

    it('each typed field has a source that there is', () => {
      each((flow) =>
        own(flow).flatMap((node) =>
          (contract[node.type]?.typed ?? [])
            .filter((name) => ![...sources, ...literals].includes(node[`${name}Type`] as string))
            .map((name) => `${node.type} ${node.id}: ${name}Type is ${node[`${name}Type`]}`)
        )
      );
    });

    it('they hold no secrets, no keys and no account but the made-up ones', () => {
      const madeUp = ['111111111111', '123456789012'];
      each((flow) => [
        ...flow.filter((node) => 'credentials' in node).map(({ id }) => `${id} has credentials`),
        ...stringsIn(flow).flatMap((text) => [
          ...(text.match(/\b(AKIA|ASIA|AROA|AIDA)[A-Z0-9]{8,}/g) ?? []),
          ...(text.match(/\b\d{12}\b/g) ?? []).filter((account) => !madeUp.includes(account)),
          ...Object.values(signIns)
            .filter(({ secretAccessKey }) => text.includes(secretAccessKey))
            .map(({ name }) => `the secret of ${name}`)
        ])
      ]);
    });

    it('each says on its tab what it is for', () => {
      each((flow) => {
        const tabs = ofType(flow, 'tab').filter(({ label, info }) => label && String(info).length > 40);
        return tabs.length === 1 ? [] : ['needs one tab with a label and a description'];
      });
    });
  });

  describe('in the import dialog', () => {
    it('are all offered under the pack’s name', async () => {
      const list = await (await bench.red.request('library/examples/flows/')).json();
      assert.ok((list as string[]).includes(packName), `offered are: ${list}`);
      const own = (await (await bench.red.request(`library/examples/flows/${packName}`)).json()) as { fn: string }[];
      const files = await readdir(join(repository, 'examples'));
      assert.deepEqual(own.map(({ fn }) => `${fn}.json`).sort(), files.filter((file) => file.endsWith('.json')).sort());
    });

    it('are what is in the files', async () => {
      for (const file of await readdir(join(repository, 'examples'))) {
        assert.deepEqual(await offered(file.replace('.json', '')), await readFlow(`examples/${file}`));
      }
    });

    it('are all tried here: every button is pressed', async () => {
      const pressed: Record<string, string[]> = { 'mqtt-topic-to-lambda': ['for thermostat', 'for no function'] };
      for (const [name, list] of Object.entries(stories)) pressed[name] = list.map(({ press: button }) => button);
      const buttons: Record<string, unknown[]> = {};
      for (const file of await readdir(join(repository, 'examples'))) {
        const flow = await readFlow(`examples/${file}`);
        buttons[file.replace('.json', '')] = ofType(flow, 'inject').map(({ name }) => name);
      }
      assert.deepEqual(buttons, pressed);
    });
  });

  for (const [name, list] of Object.entries(stories)) {
    describe(`${name}, with a sign-in in the environment,`, () => {
      for (const story of list) {
        it(`shows the result at “${Object.keys(story.shows)}” when “${story.press}” is pressed`, async () => {
          signIn('demo');
          const flow = await offered(name);
          await bench.red.deploy(flow);
          await play(flow, story);
        });
      }
    });
  }

  describe('lambda-invoke', () => {
    it('works with the function that its comment offers, and gives the same answers', async () => {
      const flow = await offered('lambda-invoke');
      const comment = named(flow, 'comment', 'The function: open this for its code');
      const code = /```js\n(.*?)```/s.exec(String(comment.info))?.[1];
      assert.ok(code);
      const folder = await mkdtemp(join(tmpdir(), 'nimbus-functions-'));
      await writeFile(join(folder, 'pasted.mjs'), code);
      const aws = await LocalAws.start({ functions: folder });
      try {
        signIn('demo');
        environment.set({ AWS_ENDPOINT_URL: aws.url });
        named(flow, 'aws-lambda-invoke', 'ask thermostat').functionName = 'pasted';
        await bench.red.deploy(flow);
        const [study, hall, broken] = stories['lambda-invoke'] as [Story, Story, Story];
        const { power: _, ...heating } = cold;
        await play(flow, {
          ...study,
          shows: { answer: 'Heating Study' },
          payload: { ...heating, message: 'Heating Study' }
        });
        const { power: __, ...idle } = warm;
        await play(flow, { ...hall, payload: idle });
        await play(flow, { ...broken, error: { code: 'FunctionError', message: /pasted failed: TypeError/ } });
      } finally {
        await aws.stop();
        await rm(folder, { recursive: true });
      }
    });
  });

  describe('lambda-invoke-async', () => {
    it('queues one event for the function, and does not wait for it', async () => {
      signIn('demo');
      const flow = await offered('lambda-invoke-async');
      await bench.red.deploy(flow);
      await press(flow, 'wait 5 seconds');
      await shown(flow, 'accepted', 'status 202');
      await bench.aws.until({ invocations: 1, functionName: 'slow' });
      const [run, ...more] = await bench.aws.invocations();
      assert.deepEqual(more, []);
      assert.deepEqual([run?.invocationType, run?.event, run?.outcome], ['Event', { ms: 5000 }, 'running']);
    });
  });

  describe('lambda-list', () => {
    it('shows every function that there is', async () => {
      signIn('demo');
      const flow = await offered('lambda-list');
      await bench.red.deploy(flow);
      await press(flow, 'list');
      const { payload } = await shown(flow, 'functions', /^\d+ functions$/);
      const names = (payload as { FunctionName: string }[]).map(({ FunctionName }) => FunctionName);
      assert.ok(names.includes('thermostat') && names.includes('hello'), `listed are: ${names}`);
    });

    it('goes from page to page by itself, and stops after the last', async () => {
      signIn('demo');
      const flow = await offered('lambda-list');
      await bench.red.deploy(flow);
      await press(flow, 'list');
      const all = (await shown(flow, 'functions', /functions$/)).payload as { FunctionName: string }[];
      await press(flow, 'first page');
      const pages = await bench.red.collect(named(flow, 'debug', 'page').id, Math.ceil(all.length / 5));
      await bench.red.until(() => !pages.at(-1)?.marker, 'the last page');
      const sizes = pages.map(({ payload }) => (payload as unknown[]).length);
      assert.deepEqual(
        pages.flatMap(({ payload }) => payload),
        all
      );
      assert.ok(sizes.slice(0, -1).every((size) => size === 5) && sizes.length > 2, `pages have ${sizes}`);
      const texts = () => textsOf(named(flow, 'debug', 'page').id);
      await bench.red.until(() => texts().length === 2, 'both statuses of the pages');
      assert.deepEqual(texts(), ['5 functions, and more', `${sizes.at(-1)} functions, the last`]);
      assert.equal(
        (await bench.aws.requests()).filter(({ operation }) => operation === 'ListFunctions').length,
        1 + sizes.length
      );
    });
  });

  describe('the Catch branch', () => {
    for (const [name, button] of [
      ['lambda-invoke', 'hall, 22 °C'],
      ['lambda-invoke-async', 'wait 5 seconds'],
      ['lambda-list', 'list'],
      ['lambda-list', 'first page']
    ] as const) {
      it(`of ${name} shows that a user may not do this, after “${button}”`, async () => {
        signIn('limited');
        const flow = await offered(name);
        await bench.red.deploy(flow);
        await play(flow, {
          press: button,
          shows: { error: /^AccessDeniedException/ },
          error: { code: 'AccessDeniedException', message: /is not authorized to perform: lambda:/ }
        });
        assert.deepEqual(await bench.aws.invocations(), []);
        for (const { id, name: debug } of ofType(flow, 'debug')) {
          assert.equal(bench.red.received(id).length, debug === 'error' ? 1 : 0, `messages at ${debug}`);
        }
      });
    }
  });

  describe('mqtt-topic-to-lambda, with a broker,', () => {
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

    /** The example, with the address of the broker filled in; resolves when it has subscribed. */
    async function deployExample(): Promise<FlowNode[]> {
      signIn('demo');
      const flow = await offered('mqtt-topic-to-lambda');
      const address = server.address();
      assert.ok(address && typeof address === 'object');
      Object.assign(named(flow, 'mqtt-broker', 'MQTT broker'), { broker: '127.0.0.1', port: String(address.port) });
      const subscribed = new Promise<string[]>((resolve) =>
        broker.once('subscribe', (subscriptions: { topic: string }[]) =>
          resolve(subscriptions.map(({ topic }) => topic))
        )
      );
      await bench.red.deploy(flow);
      assert.deepEqual(await subscribed, ['functions/+']);
      return flow;
    }

    /** As a device does, at the broker. */
    const publish = (topic: string, payload: string): Promise<void> =>
      new Promise((resolve, reject) =>
        broker.publish(
          { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false },
          (error) => (error ? reject(error) : resolve())
        )
      );

    /** Collects what is published on a topic from now on. */
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

    it('invokes the function that the topic names, once, without waiting for it', async () => {
      const flow = await deployExample();
      await publish('functions/thermostat', JSON.stringify({ room: 'Attic', temperature: 15 }));
      const { topic, payload } = await shown(flow, 'accepted', 'status 202');
      assert.deepEqual([topic, payload], ['functions/thermostat', accepted]);
      await bench.aws.until({ invocations: 1, functionName: 'thermostat', finished: true });
      const [run, ...more] = await bench.aws.invocations();
      assert.deepEqual(more, []);
      assert.equal(run?.invocationType, 'Event');
      assert.equal(run?.functionName, 'thermostat');
      assert.deepEqual(run?.event, { room: 'Attic', temperature: 15 });
      const [request] = (await bench.aws.requests()).filter(({ operation }) => operation === 'Invoke');
      assert.equal(request?.input.FunctionName, 'arn:aws:lambda:us-east-1:111111111111:function:thermostat');
    });

    it('invokes another function for another topic, each once', async () => {
      const flow = await deployExample();
      await publish('functions/hello', '{"name": "Ada"}');
      await publish('functions/echo', '"text"');
      await publish('functions/hello', '{"name": "Grace"}');
      await bench.red.collect(named(flow, 'debug', 'accepted').id, 3);
      await bench.aws.until({ invocations: 3, finished: true });
      const runs = (await bench.aws.invocations()).map(({ functionName, event }) =>
        JSON.stringify([functionName, event])
      );
      assert.deepEqual(runs.sort(), ['["echo","text"]', '["hello",{"name":"Ada"}]', '["hello",{"name":"Grace"}]']);
    });

    it('leaves other topics alone', async () => {
      const flow = await deployExample();
      await publish('functions', '{}');
      await publish('functions/hello/more', '{}');
      await publish('other/hello', '{}');
      await publish('functions/hello', '{"name": "the last"}');
      await shown(flow, 'accepted', 'status 202');
      await bench.aws.until({ invocations: 1, finished: true });
      assert.deepEqual(
        (await bench.aws.invocations()).map(({ event }) => event),
        [{ name: 'the last' }]
      );
    });

    it('publishes its test message, which comes back and invokes the function', async () => {
      const flow = await deployExample();
      await press(flow, 'for thermostat');
      await shown(flow, 'accepted', 'status 202');
      await bench.aws.until({ invocations: 1, functionName: 'thermostat', finished: true });
      assert.deepEqual((await bench.aws.invocations())[0]?.event, { room: 'Study', temperature: 18.2, target: 21 });
    });

    it('publishes on errors/lambda what Lambda does not take, with the reason', async () => {
      const heard = await listen('errors/lambda');
      const flow = await deployExample();
      await press(flow, 'for no function');
      const { payload } = await shown(flow, 'report', 'ResourceNotFoundException');
      await bench.red.until(() => heard.length > 0, 'the report at the broker');
      assert.deepEqual(
        heard.map((text) => JSON.parse(text)),
        [plain(payload)]
      );
      const { topic, error, message, payload: event } = payload as Record<string, unknown>;
      assert.equal(topic, 'functions/no-such-function');
      assert.equal(error, 'ResourceNotFoundException');
      assert.match(String(message), /function:no-such-function/);
      assert.deepEqual(event, { hello: 'nobody' });
      assert.deepEqual(await bench.aws.invocations(), []);
      assert.equal(bench.red.received(named(flow, 'debug', 'accepted').id).length, 0);
    });

    it('goes on after an error', async () => {
      const flow = await deployExample();
      await press(flow, 'for no function');
      await shown(flow, 'report', 'ResourceNotFoundException');
      await press(flow, 'for thermostat');
      await shown(flow, 'accepted', 'status 202');
    });
  });

  describe('the demo', () => {
    /** As `npm start` has it: the account refers to the environment. */
    async function deployDemo(): Promise<FlowNode[]> {
      const { accessKeyId, secretAccessKey } = keysOf('demo');
      environment.set({
        NIMBUS_LOCAL_AWS: bench.aws.url,
        NIMBUS_ACCESS_KEY_ID: accessKeyId,
        NIMBUS_SECRET_ACCESS_KEY: secretAccessKey
      });
      const flow = await readFlow('demo/flows.json');
      const { id } = named(flow, 'aws-account', 'Local AWS');
      const keys = { accessKeyId: '${NIMBUS_ACCESS_KEY_ID}', secretAccessKey: '${NIMBUS_SECRET_ACCESS_KEY}' };
      await bench.red.deploy(flow, { credentials: { [id]: keys } });
      return flow;
    }

    it('is told here as a whole: every button is pressed', async () => {
      const buttons = ofType(await readFlow('demo/flows.json'), 'inject').map(({ name }) => name);
      assert.deepEqual(
        buttons,
        demoStories.map(({ press: button }) => button)
      );
    });

    for (const story of demoStories) {
      it(`shows the result at “${Object.keys(story.shows)}” when “${story.press}” is pressed`, async () => {
        const flow = await deployDemo();
        await play(flow, story);
        assert.equal(bench.red.received(named(flow, 'debug', 'never comes').id).length, 0);
      });
    }

    it('says at its start whose keys it uses', async () => {
      const flow = await deployDemo();
      const { id } = named(flow, 'aws-account', 'Local AWS');
      const said = () => bench.red.logs.filter((entry) => entry.id === id).map(({ text }) => text);
      await bench.red.until(() => said().length > 0, 'a line of the account');
      assert.deepEqual(said(), [`signed in to account 111111111111 as ${signIns.demo.arn}, region us-east-1`]);
    });
  });
});
