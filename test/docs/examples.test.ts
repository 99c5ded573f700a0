/** The flows of `examples/` and `demo/`, as a user meets them: imported, deployed, and their buttons pressed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DeleteMessageCommand } from '@aws-sdk/client-sqs';
import { type Camera, startCamera } from '../../demo/camera';
import { type Condition, LocalAws, type RequestRecord, signIns } from '../../local-aws/client';
import { drawPicture } from '../../local-aws/rekognition/drawings';
import reference from '../../local-aws/server/service-authorization.json';
import { detectNode, keysOf } from '../aws';
import { contract, literals, sources } from '../contract';
import { exampleNames, placeOfExample } from '../example-files';
import type { FlowNode } from '../node-red';
import { setClock, trueTime } from '../set-clock';
import {
  accepted,
  cold,
  isMovingIn,
  messageId,
  named,
  ofType,
  packName,
  plain,
  readFlow,
  repository,
  type Story,
  useBroker,
  useExamples,
  warm
} from './examples';
import { homeAssistantTypes } from './home-assistant-nodes';

/** The actions of IAM that AWS's reference names for an operation. */
const actionsOf = (service: string, operation: string): string[] =>
  (reference.operations as Record<string, Record<string, string[]>>)[service]?.[operation] ?? [];

/** The poll of a receiver that has just closed may have taken the message once before. */
const firstTry = /^unicorn steak, try [12]$/;
const arn = (service: string, name: string): string => `arn:aws:${service}:us-east-1:111111111111:${name}`;
const doorbell = {
  title: 'Doorbell',
  message: 'Somebody is at the front door',
  target: [arn('lambda', 'function:echo'), arn('sns', 'alerts'), arn('sqs', 'notifications'), arn('sqs', 'kitchen')],
  data: { camera: 'porch', priority: 2 }
};

/** Those that need the nodes of a dashboard, which each says on its tab. */
const withDashboard = ['approve', 'dashboard-detection', 'dashboard-usage'];

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
  ],
  'sns-publish': [
    { press: 'freezer, −9 °C', shows: { published: messageId } },
    {
      press: 'broken sensor',
      shows: { error: 'MissingValue' },
      payload: { sensor: 'cellar' },
      error: { code: 'MissingValue', message: /Message is required, but the JSONata expression has no value/ }
    },
    { press: 'window open', shows: { 'for all': messageId } }
  ],
  'sqs-send': [
    { press: 'a pizza', shows: { sent: messageId } },
    {
      press: 'nothing',
      shows: { error: 'InvalidValue' },
      payload: '',
      error: { code: 'InvalidValue', message: /Message body \(body\) must not be empty text/ }
    },
    { press: '12 orders', shows: { batches: '12 in 3 requests' } },
    { press: 'Ada’s steps', shows: { steps: 'step 3 of 3' } }
  ],
  'store-and-forward': [
    { press: 'a reading', shows: { safe: '1 safe', arrived: '1 arrived' } },
    { press: '20 readings', shows: { safe: '20 safe', arrived: '20 arrived' } },
    { press: 'cut the link', shows: { link: 'done' } },
    { press: 'mend the link', shows: { link: 'done' } }
  ],
  'sqs-receive-settle': [
    {
      press: 'a pizza',
      shows: { served: 'pizza is served', placed: messageId },
      payload: { number: 1, dish: 'pizza', served: true }
    },
    {
      press: 'a unicorn steak',
      shows: { returned: firstTry },
      payload: { number: 2, dish: 'unicorn steak' },
      error: { code: undefined, message: /There are no unicorns/ }
    }
  ],
  'notify-many': [
    { press: 'doorbell', shows: { invoked: '1 invoked', published: '1 published', sent: '2 sent' } },
    { press: 'laundry', shows: { sent: '1 sent' } },
    {
      press: 'no such topic',
      shows: { error: 'PartialFailure' },
      payload: {
        title: 'Test',
        message: 'Nobody gets this',
        target: [arn('sns', 'alerts'), arn('sns', 'no-such-topic')]
      },
      error: { code: 'PartialFailure', message: /1 of 2 targets failed; the first, / }
    }
  ],
  'fan-out': [
    {
      press: 'a pizza for Ada',
      shows: { cooked: 'pizza is cooked', billed: 'Ada pays 9.5', published: messageId },
      payload: { dish: 'pizza', cooked: true }
    }
  ],
  's3-to-detect': [{ press: 'porch.jpg', shows: { seen: '1 person, 1 car, 1 dog', told: messageId } }],
  'detect-objects': [
    { press: 'porch', shows: { alert: /^porch: (car|dog|person), /, seen: '1 person, 1 car, 1 dog' } },
    { press: 'a cat', shows: { quiet: 'nothing at the porch', seen: '0 person, 0 car, 0 dog' } }
  ],
  'detect-faces': [
    {
      press: 'two people',
      shows: { looks: /^\d+–\d+, smiles; \d+–\d+, serious$/, found: '2 faces, 1 smiling' }
    },
    { press: 'nobody', shows: { empty: 'nobody there', found: '0 faces, 0 smiling' } },
    {
      press: 'a photo of yours',
      shows: { error: 'InvalidValue' },
      payload: '/home/pi/photo.jpg',
      error: { code: 'InvalidValue', message: /there is no such file/ }
    }
  ],
  'teach-and-identify': [
    { press: 'Anna', shows: { taught: 'Anna: 1 taught' } },
    { press: 'Ben', shows: { taught: 'Ben: 1 taught' } },
    {
      press: 'a folder',
      shows: { error: 'InvalidValue' },
      payload: '/home/pi/faces/Chris',
      error: { code: 'InvalidValue', message: /there is no such file/ }
    },
    { press: 'who is it?', shows: { people: /^\w+, \w+, \w+$/, stranger: /^\d of 3 unknown$/ } }
  ],
  'rekognition-faces': [
    { press: 'Anna', shows: { taught: 'Anna: 1 taught' } },
    { press: 'Ben', shows: { taught: 'Ben: 1 taught' } },
    {
      press: 'who is known?',
      shows: { error: 'ResourceNotFoundException' },
      error: { code: 'ResourceNotFoundException', message: /does not exist/ }
    },
    {
      press: 'forget Anna',
      shows: { error: 'ResourceNotFoundException' },
      error: { code: 'ResourceNotFoundException', message: /does not exist/ }
    },
    { press: 'is Anna in it?', shows: { matches: '1 alike, 2 others' } }
  ],
  moderate: [
    { press: 'a bottle', shows: { 'held back': 'alcohol, alcoholic beverages' } },
    { press: 'a dog', shows: { published: 'nothing found' } },
    { press: 'dice', shows: { counted: '0 of 1 count' } },
    { press: 'wine', shows: { counted: '1 of 2 count' } }
  ]
};

/** An example without a story: each button leads to a result. What it is then is for the tests of its node. */
for (const name of exampleNames) {
  if (name in stories || name === 'mqtt-topic-to-lambda' || withDashboard.includes(name) || isMovingIn(name)) continue;
  const flow = JSON.parse(readFileSync(join(repository, placeOfExample(name)), 'utf8')) as FlowNode[];
  const [result] = flow.filter(({ type, complete }) => type === 'debug' && complete !== 'error');
  stories[name] = flow
    .filter(({ type }) => type === 'inject')
    .map((inject) => ({ press: String(inject.name), shows: { [String(result?.name)]: /./ } }));
}

const demoStories: Story[] = [
  { press: 'every 5 s', shows: { sent: '8 in 2 requests' } },
  { press: 'Ada', shows: { greeting: 'Hello, Ada!' }, payload: { greeting: 'Hello, Ada!' } },
  { press: 'Grace', shows: { greeting: 'Hello, Grace!' }, payload: { greeting: 'Hello, Grace!' } },
  { press: 'every 2 s', shows: { safe: /^\d+$/, arrived: /^\d+$/ } },
  { press: '50 at once', shows: { safe: /./, arrived: /./ } },
  { press: 'cut the link', shows: { link: 'cut' } },
  { press: 'mend the link', shows: { link: 'mended' } },
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

/** What the dashboard says when its alert has gone out. */
const somebody = 'Somebody is at the porch: the alert was published.';

/** The id of the account of each example, and of the demo's: an import uses the one that is there. */
const sharedAccount = '925b4686443c49ff';

/** Every string in it, however deep. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

describe('the flows that come with the pack', () => {
  const examples = useExamples();
  const { environment, bench, queues, urlOf, requestToSns, signIn, offered, press, shown, textsOf, play } = examples;

  describe('are well made:', () => {
    const files: string[] = [];
    const flows = new Map<string, FlowNode[]>();
    let core: Set<string>;

    before(async () => {
      files.push(...exampleNames.map(placeOfExample), 'demo/flows.json');
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
      const dashboard = (type: string, file: string) =>
        withDashboard.some((name) => file === placeOfExample(name)) && /^ui-/.test(type);
      const ofHomeAssistant = (type: string, file: string) =>
        file.includes('/home-assistant') && homeAssistantTypes.includes(type);
      each((flow, file) =>
        flow
          .filter(({ type }) => !core.has(type) && !structure.includes(type) && !(type in contract))
          .filter(({ type }) => !dashboard(type, file) && !ofHomeAssistant(type, file))
          .map(({ type }) => `${type} is no such node`)
      );
    });

    it('their ids are Node-RED’s, and no two nodes have the same one but a config node that they share', () => {
      const seen = new Map<string, [file: string, node: FlowNode]>();
      each((flow, file) =>
        flow.flatMap((node) => {
          const [other, same] = seen.get(node.id) ?? [];
          seen.set(node.id, [file, node]);
          if (!/^[0-9a-f]{16}$/.test(node.id)) return [`${node.id} is no id`];
          if (node.id === sharedAccount) return [];
          return other && ('z' in node || !isDeepStrictEqual(node, same)) ? [`${node.id} is in ${other}, too`] : [];
        })
      );
    });

    it('the examples share one account, which in the demo is its own', () => {
      const [[, first] = ['', []]] = flows;
      const shared = first.find(({ id }) => id === sharedAccount);
      each((flow, file) => {
        // A customer's keys come with each message.
        if (file === 'examples/Moving/from-prismatic.json') return [];
        const account = flow.find(({ id }) => id === sharedAccount);
        const same = file.startsWith('demo/') ? account?.name === 'Local AWS' : isDeepStrictEqual(account, shared);
        const all = ofType(flow, 'aws-account').length;
        return same && all === 1 ? [] : [`has ${all} accounts, ${account?.name ?? 'not the shared one'}`];
      });
    });

    it('each has groups, and a comment first that says what it needs', () => {
      each((flow, file) => {
        if (file.startsWith('demo/')) return [];
        const outside = flow.filter(({ type, x, g }) => type !== 'group' && x !== undefined && g === undefined);
        const [first] = ofType(flow, 'comment').sort((one, other) => Number(one.y) - Number(other.y));
        return [
          ...outside.map(({ type, name }) => `${type} ${name} is in no group`),
          ...(/^Needs /.test(String(first?.name)) ? [] : [`begins with ${first?.name}`])
        ];
      });
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
          .filter(({ type, account }) => {
            const needed = 'account' in (contract[type]?.properties ?? {});
            return needed && !accounts.includes(account as string);
          })
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
      const folders = new Set(exampleNames.map((name) => dirname(placeOfExample(name)).slice('examples/'.length)));
      const own: string[] = [];
      for (const folder of folders) {
        const answer = await bench.red.request(`library/examples/flows/${packName}/${folder}`);
        own.push(...((await answer.json()) as { fn: string }[]).map(({ fn }) => fn));
      }
      assert.deepEqual(own.sort(), exampleNames.toSorted());
    });

    it('are what is in the files', async () => {
      for (const name of exampleNames) assert.deepEqual(await offered(name), await readFlow(placeOfExample(name)));
    });

    it('are all tried here: every button is pressed', async () => {
      const pressed: Record<string, string[]> = { 'mqtt-topic-to-lambda': ['for thermostat', 'for no function'] };
      for (const [name, list] of Object.entries(stories)) pressed[name] = list.map(({ press: button }) => button);
      pressed['detect-objects']?.push('camera');
      pressed['dashboard-detection'] = ['every 3 s', 'who is known?'];
      pressed['dashboard-usage'] = ['every 5 s'];
      pressed.approve = ['a coffee machine', 'ten chairs'];
      const buttons: Record<string, unknown[]> = {};
      for (const name of exampleNames) {
        if (isMovingIn(name)) continue;
        const flow = await readFlow(placeOfExample(name));
        buttons[name] = ofType(flow, 'inject').map(({ name }) => name);
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
      const comment = named(flow, 'comment', 'Needs a function: open this for its code; then press an inject node');
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

  describe('sns-publish', () => {
    /** What SNS was asked to publish. */
    async function published(button: string): Promise<Record<string, string>> {
      signIn('demo');
      const flow = await offered('sns-publish');
      await bench.red.deploy(flow);
      await press(flow, button);
      await bench.aws.until({ requests: 1, operation: 'Publish', finished: true });
      return requestToSns();
    }

    it('makes text, subject and attributes of a reading', async () => {
      const { TopicArn, Message, Subject, MessageStructure, ...rest } = await published('freezer, −9 °C');
      assert.deepEqual(
        { TopicArn, Message, Subject, MessageStructure },
        {
          TopicArn: arn('sns', 'alerts'),
          Message: 'freezer is at -9 °C',
          Subject: 'Alert: freezer',
          MessageStructure: undefined
        }
      );
      const texts = Object.entries(rest).filter(([name]) => /^MessageAttributes/.test(name));
      assert.deepEqual(
        texts.map(([, text]) => text),
        ['sensor', 'String', 'freezer', 'celsius', 'Number', '-9']
      );
    });

    it('gives each protocol its own text', async () => {
      const { Message = '', MessageStructure } = await published('window open');
      assert.equal(MessageStructure, 'json');
      assert.deepEqual(JSON.parse(Message), {
        default: 'study window open',
        email: 'The window in the study has been open for 20 minutes.',
        sqs: '{"room":"study","minutes":20}'
      });
    });
  });

  describe('sqs-send', () => {
    it('sends the order as JSON, and what it is about as attributes', async () => {
      signIn('demo');
      const flow = await offered('sqs-send');
      await bench.red.deploy(flow);
      await press(flow, 'a pizza');
      await shown(flow, 'sent', messageId);
      const [message, ...more] = await queues.receive(urlOf('orders'), { MessageAttributeNames: ['All'] });
      assert.deepEqual(more, []);
      assert.deepEqual(JSON.parse(message?.Body ?? ''), { number: 1, dish: 'pizza', table: 4 });
      assert.deepEqual(message?.MessageAttributes, {
        dish: { DataType: 'String', StringValue: 'pizza' },
        table: { DataType: 'Number', StringValue: '4' }
      });
    });

    it('keeps the steps of a customer in order, also when they are taken twice', async () => {
      signIn('demo');
      const flow = await offered('sqs-send');
      await bench.red.deploy(flow);
      for (const _ of [1, 2]) {
        await press(flow, 'Ada’s steps');
        await bench.red.collect(named(flow, 'debug', 'steps').id, 3);
      }
      const QueueUrl = urlOf('orders.fifo');
      const steps: string[] = [];
      while (steps.length < 6) {
        const [message] = await queues.receive(QueueUrl, { MaxNumberOfMessages: 1, VisibilityTimeout: 30 });
        assert.ok(message, `there are only ${steps}`);
        steps.push(JSON.parse(message.Body ?? '').step);
        await queues.client().send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
      }
      assert.deepEqual(steps, ['order', 'pay', 'eat', 'order', 'pay', 'eat']);
    });
  });

  describe('sqs-receive-settle', () => {
    /** The example, where what failed comes again at once unless a delay is given. */
    async function deployExample(delay = ''): Promise<FlowNode[]> {
      signIn('demo');
      const flow = await offered('sqs-receive-settle');
      const settle = named(flow, 'aws-sqs-settle', 'try again');
      assert.equal(settle.delayType, 'jsonata');
      if (delay === '') Object.assign(settle, { delay, delayType: 'num' });
      await bench.red.deploy(flow);
      return flow;
    }

    it('deletes what was done', async () => {
      const flow = await deployExample();
      await press(flow, 'a pizza');
      await shown(flow, 'served', 'pizza is served');
      assert.deepEqual(await queues.counts(urlOf('orders')), { visible: 0, hidden: 0, delayed: 0 });
    });

    it('returns what failed three times, and then finds it in the dead-letter queue', async () => {
      const flow = await deployExample();
      await press(flow, 'a unicorn steak');
      const { payload } = await shown(flow, 'given up', 'unicorn steak is given up');
      assert.deepEqual(payload, { number: 2, dish: 'unicorn steak' });
      const tries = bench.red.received(named(flow, 'debug', 'returned').id).map(({ aws }) => aws?.receiveCount);
      assert.deepEqual(tries.slice(-2), [2, 3]);
      assert.equal(bench.red.received(named(flow, 'debug', 'served').id).length, 0);
      assert.deepEqual(await queues.counts(urlOf('orders')), { visible: 0, hidden: 0, delayed: 0 });
    });

    it('waits for 2 seconds more after each failure', async () => {
      const flow = await deployExample('as it is');
      await press(flow, 'a unicorn steak');
      const { aws } = await shown(flow, 'returned', firstTry);
      const [request] = await queues.requests('ChangeMessageVisibility');
      assert.equal(request?.input.VisibilityTimeout, 2 * Number(aws?.receiveCount));
    });

    it('goes on with the next order while one fails', async () => {
      const flow = await deployExample('as it is');
      await press(flow, 'a unicorn steak');
      await shown(flow, 'returned', firstTry);
      await press(flow, 'a pizza');
      await shown(flow, 'served', 'pizza is served');
    });
  });

  describe('notify-many', () => {
    async function notify(button: string): Promise<FlowNode[]> {
      signIn('demo');
      const flow = await offered('notify-many');
      await bench.red.deploy(flow);
      await press(flow, button);
      return flow;
    }

    it('gives the function the notification, and a context of its own', async () => {
      const flow = await notify('doorbell');
      type Answers = [{ target: string; result: { event: unknown; context: Record<string, unknown> } }];
      const [{ target, result }] = (await shown(flow, 'invoked', '1 invoked')).payload as Answers;
      const { event, context } = result;
      assert.equal(target, arn('lambda', 'function:echo'));
      assert.deepEqual(event, doorbell);
      assert.deepEqual(plain(context.clientContext), { custom: { source: 'Node-RED', room: 'hall' } });
    });

    it('publishes the message with the title as subject and the data as attributes', async () => {
      const flow = await notify('doorbell');
      await shown(flow, 'published', '1 published');
      const { TopicArn, Message, Subject, ...rest } = await requestToSns();
      assert.deepEqual(
        { TopicArn, Message, Subject },
        { TopicArn: arn('sns', 'alerts'), Message: doorbell.message, Subject: doorbell.title }
      );
      const texts = Object.entries(rest).filter(([name]) => /^MessageAttributes/.test(name));
      assert.deepEqual(
        texts.map(([, text]) => text),
        ['camera', 'String', 'porch', 'priority', 'Number', '2']
      );
    });

    it('sends the notification to every queue, with title and data as attributes', async () => {
      const flow = await notify('doorbell');
      await shown(flow, 'sent', '2 sent');
      for (const queue of ['notifications', 'kitchen']) {
        const [message, ...more] = await queues.receive(urlOf(queue), { MessageAttributeNames: ['All'] });
        assert.deepEqual(more, []);
        assert.deepEqual(JSON.parse(message?.Body ?? ''), doorbell);
        assert.deepEqual(message?.MessageAttributes, {
          title: { DataType: 'String', StringValue: 'Doorbell' },
          camera: { DataType: 'String', StringValue: 'porch' },
          priority: { DataType: 'Number', StringValue: '2' }
        });
      }
    });

    it('leaves alone the services that no target belongs to, and out what the notification lacks', async () => {
      const flow = await notify('laundry');
      await shown(flow, 'sent', '1 sent');
      const services = (await bench.aws.requests()).map(({ service }) => service);
      assert.deepEqual(
        services.filter((service) => service === 'lambda' || service === 'sns'),
        []
      );
      const [message] = await queues.receive(urlOf('notifications'), { MessageAttributeNames: ['All'] });
      const expected = { message: 'The laundry is dry', target: arn('sqs', 'notifications') };
      assert.deepEqual([JSON.parse(message?.Body ?? ''), message?.MessageAttributes], [expected, undefined]);
    });

    it('tells which target failed', async () => {
      const flow = await notify('no such topic');
      const { error } = await shown(flow, 'error', 'PartialFailure');
      const { results } = (error as { cause: { results: Record<string, unknown>[] } }).cause;
      assert.deepEqual(
        results.map(({ target, result, error: why }) => [target, result !== undefined, (why as Error)?.name]),
        [
          [arn('sns', 'alerts'), true, undefined],
          [arn('sns', 'no-such-topic'), false, 'NotFoundException']
        ]
      );
    });
  });

  describe('fan-out', () => {
    it('lets a queue wait for its flow while the other goes on', async () => {
      signIn('demo');
      const flow = await offered('fan-out');
      const billing = named(flow, 'aws-sqs-receive', 'billing');
      await bench.red.deploy(flow.map((node) => (node === billing ? { ...node, d: true } : node)));
      await press(flow, 'a pizza for Ada');
      await shown(flow, 'cooked', 'pizza is cooked');
      assert.equal(bench.red.received(named(flow, 'debug', 'billed').id).length, 0);
      await bench.red.deploy(flow);
      await shown(flow, 'billed', 'Ada pays 9.5');
    });

    it('takes messages without an envelope as they are', async () => {
      signIn('demo');
      const flow = await offered('fan-out');
      await bench.red.deploy(flow);
      await queues.send(urlOf('billing'), '{"customer": "Grace", "price": 7}');
      await shown(flow, 'billed', 'Grace pays 7');
    });
  });

  describe('s3-to-detect', () => {
    const event = (key: string) =>
      JSON.stringify({ Records: [{ s3: { bucket: { name: 'nimbus-pictures' }, object: { key } } }] });

    it('returns a picture that is gone, whose key it reads as S3 writes it', async () => {
      signIn('demo');
      const flow = await offered('s3-to-detect');
      await bench.red.deploy(flow);
      await queues.send(urlOf('pictures'), event('my+picture%2B%C3%BC.jpg'));
      await shown(flow, 'error', 'InvalidS3ObjectException, try 1');
      const [detection] = (await bench.aws.requests()).filter(({ operation }) => operation === 'DetectLabels');
      const S3Object = { Bucket: 'nimbus-pictures', Name: 'my picture+ü.jpg' };
      assert.deepEqual(detection?.input.Image, { S3Object });
    });

    it('deletes what tells of no picture, such as the test of S3', async () => {
      signIn('demo');
      const flow = await offered('s3-to-detect');
      await bench.red.deploy(flow);
      await queues.send(urlOf('pictures'), '{"Service": "Amazon S3", "Event": "s3:TestEvent"}');
      await shown(flow, 'seen', 'no picture');
    });
  });

  describe('detect-objects', () => {
    async function deployExample(): Promise<FlowNode[]> {
      signIn('demo');
      const flow = await offered('detect-objects');
      await bench.red.deploy(flow);
      return flow;
    }
    const pictureOf = (flow: FlowNode[], button: string): Buffer =>
      Buffer.from(String(named(flow, 'inject', button).payload).split(',')[1] ?? '', 'base64');

    it('does not send the same picture twice, and tells only once of what is there', async () => {
      const flow = await deployExample();
      await press(flow, 'porch');
      await shown(flow, 'seen', '1 person, 1 car, 1 dog');
      await press(flow, 'porch');
      const { aws } = await shown(flow, 'seen', '1 person, 1 car, 1 dog, skipped');
      assert.equal(aws?.skipped, true);
      await press(flow, 'a cat');
      await shown(flow, 'quiet', 'nothing at the porch');
      assert.equal((await bench.aws.requests()).filter(({ operation }) => operation === 'DetectLabels').length, 2);
      assert.equal(bench.red.received(named(flow, 'debug', 'alert').id).length, 1);
    });

    it('shows the last picture with its boxes in a browser, once there is one', async () => {
      const flow = await deployExample();
      const none = await bench.red.request('nimbus/porch');
      assert.deepEqual([none.status, await none.text()], [404, 'There is no picture yet: press an inject node.']);
      await press(flow, 'porch');
      const { image } = await shown(flow, 'seen', /person/);
      await bench.red.until(async () => (await bench.red.request('nimbus/porch')).status === 200, 'the picture');
      const answer = await bench.red.request('nimbus/porch');
      assert.equal(answer.headers.get('content-type'), 'image/jpeg');
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), image);
      assert.notDeepEqual(image, pictureOf(flow, 'porch'));
    });

    it('takes the picture of a camera, and tells what is wrong with one that does not answer', async () => {
      signIn('demo');
      const flow = await offered('detect-objects');
      const camera = createHttpServer((request, response) => {
        if (request.url !== '/snapshot.jpg') return response.writeHead(401).end('<html>');
        return response.end(pictureOf(flow, 'porch'));
      });
      await new Promise<void>((resolve) => camera.listen(0, '127.0.0.1', resolve));
      try {
        const { port } = camera.address() as AddressInfo;
        const [url] = named(flow, 'inject', 'camera').props as { p: string; v: string }[];
        assert.ok(url?.p === 'url' && url.v.endsWith('/snapshot.jpg'));
        url.v = `http://127.0.0.1:${port}/snapshot.jpg`;
        await bench.red.deploy(flow);
        await press(flow, 'camera');
        await shown(flow, 'seen', '1 person, 1 car, 1 dog');
        url.v = `http://127.0.0.1:${port}/`;
        await bench.red.deploy(flow);
        await press(flow, 'camera');
        const { statusCode } = await shown(flow, 'error', /./);
        assert.equal(statusCode, 401);
      } finally {
        await new Promise((resolve) => camera.close(resolve));
      }
    });
  });

  it('rekognition-faces knows those who were taught until they are forgotten', async () => {
    signIn('demo');
    const flow = await offered('rekognition-faces');
    await bench.red.deploy(flow);
    for (const [button, at, text] of [
      ['Anna', 'taught', 'Anna: 1 taught'],
      ['Ben', 'taught', 'Ben: 1 taught'],
      ['who is known?', 'people', '2: Anna, Ben'],
      ['forget Anna', 'forgotten', 'Anna: 1 deleted'],
      ['who is known?', 'people', '1: Ben'],
      ['forget Anna', 'forgotten', 'Anna: 0 deleted']
    ] as const) {
      await press(flow, button);
      await shown(flow, at, text);
    }
  });

  describe('teach-and-identify', () => {
    it('knows those who were taught, of pictures and of a folder, and no others', async () => {
      signIn('demo');
      const flow = await offered('teach-and-identify');
      const folder = await mkdtemp(join(tmpdir(), 'nimbus-faces-'));
      try {
        const [, picture = ''] = String(named(flow, 'inject', 'Ben').payload).split(',');
        await writeFile(join(folder, 'ben.jpg'), picture, 'base64');
        await writeFile(join(folder, 'broken.jpg'), 'no picture');
        Object.assign(named(flow, 'inject', 'a folder'), { payload: folder, topic: 'Ben' });
        await bench.red.deploy(flow);
        await press(flow, 'Anna');
        await shown(flow, 'taught', 'Anna: 1 taught');
        await press(flow, 'who is it?');
        await shown(flow, 'stranger', '2 of 3 unknown');
        await press(flow, 'a folder');
        const { payload } = await shown(flow, 'taught', 'Ben: 1 taught');
        const { skipped } = payload as { skipped: { file: string; reason: string }[] };
        assert.deepEqual(
          skipped.map(({ file }) => file),
          ['broken.jpg']
        );
        await press(flow, 'who is it?');
        const { payload: found } = await shown(flow, 'stranger', '1 of 3 unknown');
        assert.deepEqual((found as { summary: object }).summary, { Anna: 1, Ben: 1, unknown: 1 });
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  describe('moderate', () => {
    it('still has the picture behind the check', async () => {
      signIn('demo');
      const flow = await offered('moderate');
      await bench.red.deploy(flow);
      await press(flow, 'a dog');
      const { picture } = await shown(flow, 'published', 'nothing found');
      assert.match(String(picture), /^data:image\/jpeg;base64,/);
    });
  });

  describe('dashboard-detection, with a camera,', () => {
    let camera: Camera;
    before(async () => {
      camera = await startCamera();
    });
    after(() => camera.close());

    /** It looks when its button is pressed, and not every 3 seconds. */
    async function deployExample(url = `${camera.url}/porch.jpg?t=14`): Promise<FlowNode[]> {
      signIn('demo');
      const flow = await offered('dashboard-detection');
      named(flow, 'http request', 'camera').url = url;
      Object.assign(named(flow, 'inject', 'every 3 s'), { once: false, repeat: '' });
      await bench.red.deploy(flow);
      return flow;
    }
    const at = async (flow: FlowNode[], type: string, name: string): Promise<Record<string, unknown>> =>
      (await bench.red.next(named(flow, type, name).id)).payload as Record<string, unknown>;
    /** How often each kind of object was there, and who. */
    const whatWas = async (flow: FlowNode[]): Promise<unknown> => {
      const { lanes } = plain(await at(flow, 'ui-template', 'over time')) as {
        lanes: { kind: string; spans: { count: number; who: string[] }[] }[];
      };
      return lanes.map(({ kind, spans }) => [kind, ...spans.map(({ count, who }) => [count, ...who])]);
    };

    it('shows picture, counts and what was when, and tells once of who stays', async () => {
      const flow = await deployExample();
      await press(flow, 'every 3 s');
      const { picture, counts, pictures, skipped } = await at(flow, 'ui-template', 'live picture');
      assert.match(String(picture), /^data:image\/jpeg;base64,/);
      assert.deepEqual(plain({ counts, pictures, skipped }), {
        counts: { person: 1, car: 0, dog: 0 },
        pictures: 1,
        skipped: 0
      });
      assert.equal(await at(flow, 'ui-notification', 'notification'), somebody);
      const once = [['person', [1]], ['car'], ['dog']];
      assert.deepEqual(await whatWas(flow), once);

      await press(flow, 'every 3 s');
      const again = await at(flow, 'ui-template', 'live picture');
      assert.deepEqual(plain([again.pictures, again.skipped]), [2, 1]);
      assert.deepEqual(await whatWas(flow), once);
      const asked = (await bench.aws.requests()).map(({ operation }) => operation);
      assert.equal(asked.filter((operation) => operation === 'DetectLabels').length, 1);
      assert.equal(asked.filter((operation) => operation === 'Publish').length, 1);
      const { Message, Subject } = await requestToSns();
      assert.deepEqual([Message, Subject], ['Somebody is at the porch', 'Porch camera']);
    });

    it('knows a face by the name that the dashboard sent for it', async () => {
      const flow = await deployExample(`${camera.url}/porch.jpg?t={{second}}`);
      const look = (second: number) => bench.red.send(named(flow, 'http request', 'camera').id, { second });
      await look(12.8);
      const stranger = await at(flow, 'ui-template', 'face');
      assert.equal(stranger.match, null);
      assert.equal(await at(flow, 'ui-notification', 'notification'), somebody);
      await bench.red.send(named(flow, 'function', 'frame and name').id, { topic: 'Anna', payload: stranger.frame });
      assert.equal(await at(flow, 'ui-notification', 'answer'), 'Anna was taught.');
      await look(15);
      const { match } = await at(flow, 'ui-template', 'face');
      assert.equal((match as { name: string }).name, 'Anna');
      const views = await bench.red.collect(named(flow, 'ui-template', 'live picture').id, 2);
      const names = views.map(({ payload }) =>
        (payload as { boxes: { name: string }[] }).boxes.map(({ name }) => name)
      );
      assert.deepEqual(plain(names), [['person'], ['Anna']]);
      await whatWas(flow);
      assert.deepEqual(await whatWas(flow), [['person', [1, 'Anna']], ['car'], ['dog']]);
      await bench.red.until(() => bench.red.received(named(flow, 'change', 'say so').id).length === 2, 'both alerts');
      const told = bench.red.received(named(flow, 'change', 'say so').id).map(({ text }) => text);
      assert.deepEqual(told, ['Somebody is at the porch', 'Anna is at the porch']);
    });

    it('lists who is known, and forgets whom the dashboard names: in AWS, and in what it shows', async () => {
      const flow = await deployExample(`${camera.url}/porch.jpg?t={{second}}`);
      const look = (second: number) => bench.red.send(named(flow, 'http request', 'camera').id, { second });
      const listed = async () => plain(await at(flow, 'ui-template', 'people'));
      assert.deepEqual(await listed(), { people: [] });
      await look(12.8);
      const stranger = await at(flow, 'ui-template', 'face');
      await bench.red.send(named(flow, 'function', 'frame and name').id, { topic: 'Anna', payload: stranger.frame });
      assert.deepEqual(await listed(), { people: [{ name: 'Anna', faces: 1 }] });
      await look(15);
      await at(flow, 'ui-template', 'face');
      await whatWas(flow);
      await whatWas(flow);

      const whom = { topic: 'Anna', ui_update: { raw: true }, collection: 'others' };
      await bench.red.send(named(flow, 'function', 'whom').id, whom);
      assert.equal(await at(flow, 'ui-notification', 'told'), 'Anna is forgotten: 1 face was deleted.');
      const [asked] = bench.red.received(named(flow, 'aws-rekognition-faces', 'forget').id);
      assert.deepEqual([asked?.topic, asked?.ui_update, asked?.collection], ['Anna', undefined, undefined]);
      assert.deepEqual(await listed(), { people: [] });
      assert.equal(await at(flow, 'ui-template', 'face'), null);
      await look(15);
      assert.deepEqual(await whatWas(flow), [['person', [1]], ['car'], ['dog']]);
    });

    it('shows the picture although nobody could be looked up, and says why not', async () => {
      const flow = await deployExample();
      await bench.aws.fault({ operation: 'DetectFaces', kind: 'denied' });
      await press(flow, 'every 3 s');
      const { counts } = await at(flow, 'ui-template', 'live picture');
      assert.deepEqual(plain(counts), { person: 1, car: 0, dog: 0 });
      await shown(flow, 'error', /^AccessDenied/);
    });

    it('has nobody at the porch while a sleeve shows at the edge', async () => {
      const flow = await deployExample(`${camera.url}/porch.jpg?t=3.5`);
      await press(flow, 'every 3 s');
      const { counts } = await at(flow, 'ui-template', 'live picture');
      assert.deepEqual(plain(counts), { person: 0, car: 0, dog: 0 });
    });

    it('says on the dashboard why a face was not taught', async () => {
      const flow = await deployExample();
      const { error } = await bench.red.send(named(flow, 'function', 'frame and name').id, { topic: 'Anna' });
      assert.equal(error, undefined);
      const why = 'Not taught: The frame is no longer known: wait for the next one.';
      assert.equal(await at(flow, 'ui-notification', 'answer'), why);
    });

    it('shows that a camera has no picture, and sends nothing', async () => {
      const flow = await deployExample(`${camera.url}/no-such-picture.jpg`);
      await press(flow, 'every 3 s');
      const { statusCode } = await shown(flow, 'error', /./);
      assert.equal(statusCode, 404);
      assert.deepEqual(
        (await bench.aws.requests()).filter(({ service }) => service === 'rekognition'),
        []
      );
    });
  });

  interface Statement {
    Sid: string;
    Action: string | string[];
  }

  const isRefused = ({ errorCode = '' }: RequestRecord) => /Denied|Authorization|S3Object/.test(errorCode);

  /** The statements that the account's dialog shows for a flow. */
  async function statementsFor(flow: FlowNode[]): Promise<Statement[]> {
    signIn('demo');
    await bench.red.deploy(flow);
    const [account] = ofType(flow, 'aws-account');
    const answer = await bench.red.request(`aws-account/policy?account=${account?.id}`);
    const { blocks } = (await answer.json()) as { blocks: { kind: string; policy: { Statement: Statement[] } }[] };
    return blocks.find(({ kind }) => kind === 'needed')?.policy.Statement ?? [];
  }

  /** Deploys a flow with a sign-in that may do this and nothing else. */
  async function deployWith(flow: FlowNode[], Statement: Statement[]): Promise<void> {
    await bench.red.deploy([]);
    await bench.aws.reset();
    await bench.aws.settings({
      policy: { Statement: Statement.map((each) => ({ ...each, Effect: 'Allow' as const })) }
    });
    signIn('limited');
    await bench.red.deploy(flow);
  }

  /** Presses all buttons, again where one leads further after another. */
  async function pressUntil(flow: FlowNode[], condition: Condition): Promise<void> {
    for (let times = 1; ; times += 1) {
      for (const { name } of ofType(flow, 'inject')) await press(flow, String(name));
      const isMet = await bench.aws.until(condition, 3000).catch((error: Error) => error);
      if (!isMet) return;
      if (times === 20) throw isMet;
    }
  }

  /** Each action of the flow's policy is asked for by its buttons and none refused, until one of its statements is missing. */
  async function needsEachStatement(flow: FlowNode[]): Promise<void> {
    const statements = await statementsFor(flow);
    assert.ok(statements.length > 0);
    await deployWith(flow, statements);
    for (const action of statements.flatMap(({ Action }) => Action)) {
      // A right has the name of its operation, but for this one.
      const operation = action === 'lambda:InvokeFunction' ? 'Invoke' : action.split(':')[1];
      await pressUntil(flow, { operation: operation as string, requests: 1 });
    }
    assert.deepEqual((await bench.aws.requests()).filter(isRefused), []);
    for (const missing of statements) {
      await deployWith(
        flow,
        statements.filter((each) => each !== missing)
      );
      await pressUntil(flow, { requests: 1, refused: true });
    }
  }

  describe('approve', () => {
    /** What the dashboard lists. */
    interface Order {
      number: string;
      what: string;
      price: number;
    }

    async function deployExample(): Promise<FlowNode[]> {
      signIn('demo');
      const flow = await offered('approve');
      await bench.red.deploy(flow);
      return flow;
    }
    const list = async (flow: FlowNode[]): Promise<Order[]> =>
      plain((await bench.red.next(named(flow, 'ui-template', 'orders').id, 60_000)).payload) as Order[];
    /** Presses a button of the dashboard. */
    const decide = (flow: FlowNode[], topic: string, { number }: Order) =>
      bench.red.send(named(flow, 'function', 'what was asked').id, { topic, payload: number });
    const decision = async (flow: FlowNode[]): Promise<Record<string, string>> => {
      const { payload } = await bench.red.next(named(flow, 'ui-table', 'table').id, 60_000);
      return plain((payload as unknown[])[0]) as Record<string, string>;
    };

    for (const [topic, said] of [
      ['approve', 'approved'],
      ['reject', 'Somebody said no.']
    ] as const) {
      it(`has an order that waits for somebody to ${topic} it, and is not asked about again`, async () => {
        const flow = await deployExample();
        await press(flow, 'ten chairs');
        await shown(flow, 'ordered', /^order-\d+ waits$/);
        const [order, ...more] = (await list(flow)) as [Order];
        assert.deepEqual([order.what, order.price, more], ['Ten chairs', 1800, []]);
        await decide(flow, topic, order);
        const { order: number, decision: told } = await decision(flow);
        assert.deepEqual([number, told], [order.number, said]);
        assert.deepEqual(await list(flow), []);
        const { visible, hidden } = await queues.counts(urlOf('approvals'));
        assert.equal(visible + hidden, 0);
      }).timeout(120_000);
    }

    it('runs with the rights of its policy, and answers nothing without its right to', async () => {
      const flow = await offered('approve');
      const statements = await statementsFor(flow);
      for (const topic of ['approve', 'reject']) {
        await deployWith(flow, statements);
        await press(flow, 'ten chairs');
        const [order] = (await list(flow)) as [Order];
        await decide(flow, topic, order);
        assert.equal((await decision(flow)).order, order.number);
        assert.deepEqual((await bench.aws.requests()).filter(isRefused), []);
      }
      const answers = statements.filter(({ Action }) => String(Action).includes('SendDurable'));
      assert.equal(answers.length, 2);
      await deployWith(
        flow,
        statements.filter((each) => !answers.includes(each))
      );
      await press(flow, 'ten chairs');
      const [order] = (await list(flow)) as [Order];
      await decide(flow, 'approve', order);
      await bench.aws.until({ requests: 1, operation: 'SendDurableExecutionCallbackSuccess', refused: true });
    }).timeout(120_000);

    it('has orders that survive a restart in between', async () => {
      const before = await deployExample();
      await press(before, 'a coffee machine');
      const [order] = (await list(before)) as [Order];
      // What the flow has kept is gone with it.
      await bench.red.deploy([]);
      const flow = await deployExample();
      assert.deepEqual(await list(flow), [order]);
      await decide(flow, 'approve', order);
      assert.equal((await decision(flow)).decision, 'approved');
      assert.equal((await bench.aws.requests()).filter(({ operation }) => operation === 'Invoke').length, 1);
    }).timeout(120_000);

    it('says why an answer did not arrive, and takes an order off the list that nobody waits for any more', async () => {
      const flow = await deployExample();
      await press(flow, 'a coffee machine');
      const [order] = (await list(flow)) as [Order];
      await bench.aws.fault({ operation: 'SendDurableExecutionCallbackSuccess', kind: 'denied', times: 1 });
      await decide(flow, 'approve', order);
      const { payload } = await bench.red.next(named(flow, 'ui-notification', 'notification').id, 60_000);
      assert.match(String(payload), /^Not sent: .*not allowed/);
      assert.deepEqual(await list(flow), [order]);
      // The local AWS forgets its executions.
      await bench.aws.reset();
      await decide(flow, 'approve', order);
      assert.deepEqual(await list(flow), []);
    }).timeout(120_000);

    it('has the code of the function that its comment offers', async () => {
      const flow = await offered('approve');
      const { info } = named(flow, 'comment', 'Needs a durable function: open this for its code; press an inject node');
      const code = /```js\n(.*?)```/s.exec(String(info))?.[1];
      assert.equal(code, await readFile(join(repository, 'local-aws/lambda/functions/approve.mjs'), 'utf8'));
    });
  });

  describe('the Catch branch', () => {
    const refusals = {
      'detect-objects': 'AccessDeniedException',
      'detect-faces': 'AccessDeniedException',
      'teach-and-identify': 'AccessDeniedException',
      moderate: 'AccessDeniedException',
      'lambda-invoke': 'AccessDeniedException',
      'lambda-invoke-async': 'AccessDeniedException',
      'lambda-list': 'AccessDeniedException',
      'sns-publish': 'AuthorizationErrorException',
      'sqs-send': 'AccessDenied',
      'fan-out': 'AuthorizationErrorException'
    };
    for (const [name, button] of [
      ['lambda-invoke', 'hall, 22 °C'],
      ['lambda-invoke-async', 'wait 5 seconds'],
      ['lambda-list', 'list'],
      ['lambda-list', 'first page'],
      ['sns-publish', 'freezer, −9 °C'],
      ['sns-publish', 'window open'],
      ['sqs-send', 'a pizza'],
      ['fan-out', 'a pizza for Ada'],
      ['detect-objects', 'porch'],
      ['detect-faces', 'nobody'],
      ['teach-and-identify', 'Anna'],
      ['teach-and-identify', 'who is it?'],
      ['moderate', 'a dog']
    ] as const) {
      it(`of ${name} shows that a user may not do this, after “${button}”`, async () => {
        signIn('limited');
        const flow = await offered(name);
        await bench.red.deploy(flow);
        await play(flow, {
          press: button,
          shows: { error: /^A(ccessDenied|uthorizationError)/ },
          error: { code: refusals[name], message: /is not authorized to perform: (lambda|SNS|sqs|rekognition):/ }
        });
        assert.deepEqual(await bench.aws.invocations(), []);
        for (const { id, name: debug } of ofType(flow, 'debug')) {
          assert.equal(bench.red.received(id).length, debug === 'error' ? 1 : 0, `messages at ${debug}`);
        }
      });
    }
  });

  describe('with the rights of its policy and no others,', () => {
    /** What no run of an example asks for, but another one of the same flow may. */
    const seldom = new Set([
      // Which of two pictures has no face.
      'rekognition-faces rekognition:DetectFaces',
      // A queue that a message gives by its name.
      'notify-many sqs:GetQueueUrl',
      // What has come when a receiver is closed goes back.
      'fan-out sqs:ChangeMessageVisibility',
      's3-to-detect sqs:ChangeMessageVisibility'
    ]);

    for (const name of Object.keys(stories)) {
      it(`${name} runs, and asks for something in vain without any of its statements`, async () => {
        const flow = await offered(name);
        const statements = await statementsFor(flow);
        const requests: RequestRecord[] = [];
        for (const story of stories[name] ?? []) {
          await deployWith(flow, statements);
          await play(flow, story);
          requests.push(...(await bench.aws.requests()));
        }
        assert.deepEqual(requests.filter(isRefused), []);
        const asked = new Set(requests.flatMap(({ service, operation }) => actionsOf(service, operation)));
        const isUsual = (action: string) => !seldom.has(`${name} ${action}`);
        for (const action of statements.flatMap(({ Action }) => Action)) {
          if (asked.has(action) || action === 's3:GetObject' || !isUsual(action)) continue;
          await pressUntil(flow, { operation: action.split(':')[1] as string, requests: 1 });
        }
        for (const missing of statements.filter(({ Action }) => [Action].flat().some(isUsual))) {
          await deployWith(
            flow,
            statements.filter((each) => each !== missing)
          );
          await pressUntil(flow, { requests: 1, refused: true });
        }
      }).timeout(180_000);
    }
  });

  describe('mqtt-topic-to-lambda, with a broker,', () => {
    const { deployed, publish, listen } = useBroker(examples);
    const deployExample = (): Promise<FlowNode[]> => deployed('mqtt-topic-to-lambda', 'MQTT broker');

    for (const [name, brokerNode] of [
      ['mqtt-topic-to-lambda', 'MQTT broker'],
      ['from-aws-iot-rule', 'AWS IoT Core']
    ] as const) {
      it(`${name} asks for all that its policy allows, and in vain without any statement`, async () => {
        await needsEachStatement(await deployed(name, brokerNode));
      }).timeout(180_000);
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

  describe('dashboard-usage', () => {
    it('shows this period, today and the pace, and tells once a period that 80 % of the budget are spent', async () => {
      signIn('demo');
      const flow = await offered('dashboard-usage');
      Object.assign(named(flow, 'inject', 'every 5 s'), { once: false, repeat: '' });
      const { id } = Object.assign(named(flow, 'aws-account', 'My AWS account'), { budget: '0.01' });
      const picture = await drawPicture({ things: [] }, { width: 120, height: 90, format: 'jpeg' });
      const at = (time: string) => setClock(Date.parse(time) - trueTime());
      /** So many pictures are looked at, then the button is pressed. */
      async function cost(pictures: number): Promise<Record<string, unknown>> {
        for (let count = 0; count < pictures; count += 1) await bench.red.send('detect', { payload: picture });
        await press(flow, 'every 5 s');
        return plain((await bench.red.next(named(flow, 'ui-template', 'cost').id)).payload) as Record<string, unknown>;
      }

      at('2027-01-30T12:00:00Z');
      await bench.red.deploy([...flow, detectNode({ operation: 'labels', account: id, wires: [[]] })]);
      const first = await cost(2);
      assert.deepEqual([first.cost, first.budget, first.left, first.today, first.pace], [0.002, 0.01, 0.008, 0, null]);
      assert.match(String(first.since), /^2027-01-30T12:00:0/);

      at('2027-01-30T12:02:00Z');
      const { pace, spentAt, today } = await cost(6);
      // 6 pictures in 2 minutes, but for the time that the test takes.
      assert.ok(Number(pace) > 3.8 && Number(pace) < 4.7, String(pace));
      assert.ok(Number(spentAt) > Date.now() && Number(spentAt) < Date.now() + 60_000);
      assert.equal(Number(today).toFixed(6), '0.006000');

      at('2027-01-31T00:00:02Z');
      const next = await cost(0);
      assert.deepEqual([next.cost, next.today, next.since], [0.008, 0, '2027-01-31T00:00:00.000Z']);

      at('2027-02-01T00:10:00Z');
      const { before, ...february } = await cost(9);
      assert.deepEqual([before, february.cost, february.today], [0.008, 0.009, 0.009]);
      const told = await bench.red.collect(named(flow, 'ui-notification', 'notification').id, 2);
      assert.deepEqual(
        told.map(({ payload }) => payload),
        [
          '80 % of the budget of $0.01 for this month are spent.',
          '90 % of the budget of $0.01 for this month are spent.'
        ]
      );
      const { payload } = await bench.red.next(named(flow, 'ui-template', 'by operation').id);
      const [{ operation, units } = {}] = (payload as { operations: Record<string, unknown>[] }).operations;
      assert.deepEqual([operation, units], ['DetectLabels', 2]);
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
      hurry(flow);
      const { id } = named(flow, 'aws-account', 'Local AWS');
      const keys = { accessKeyId: '${NIMBUS_ACCESS_KEY_ID}', secretAccessKey: '${NIMBUS_SECRET_ACCESS_KEY}' };
      await bench.red.deploy(flow, { credentials: { [id]: keys } });
      return flow;
    }

    /** The kitchen needs less time than people do to watch it. */
    function hurry(flow: FlowNode[]): void {
      Object.assign(named(flow, 'delay', 'cook'), { randomFirst: '0', randomLast: '0.01' });
      named(flow, 'aws-sqs-settle', 'return').delay = '';
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

    it('lives by itself: orders are served, fail, come again, and are given up', async () => {
      const flow = await deployDemo();
      await shown(flow, 'sent', '8 in 2 requests');
      await shown(flow, 'given up', '#7 unicorn steak');
      const at = (name: string) => bench.red.received(named(flow, 'debug', name).id);
      const tries = at('failed').map(({ payload, aws }) => [(payload as { dish: string }).dish, aws?.receiveCount]);
      assert.ok(tries.every(([dish, count]) => dish === 'unicorn steak' || (dish === 'soufflé' && count === 1)));
      assert.ok(tries.some(([dish, count]) => dish === 'unicorn steak' && count === 3));
      await bench.red.until(() => at('served').length >= 7, 'the other seven orders of the first round');
      const texts = () => textsOf(named(flow, 'aws-sqs-receive', 'take orders').id);
      assert.ok(
        texts().includes('status.receiving') && texts().some((text) => /^\d+$/.test(text)),
        `it shows ${texts()}`
      );
    });

    it('tells what its camera has cost today, and what that would be in a whole day', async () => {
      const flow = await readFlow('demo/camera-cost.json');
      const dashboard = await readFlow('examples/Dashboards/dashboard-detection.json');
      const others = [
        ...(await readFlow('demo/flows.json')),
        ...dashboard.filter(({ type }) => type !== 'aws-account')
      ];
      const ids = [...flow, ...others].map(({ id }) => id);
      const referred = flow.flatMap(stringsIn).filter((text) => /^[0-9a-f]{16}$/.test(text));
      assert.deepEqual(
        [new Set(ids).size, referred.filter((id) => !ids.includes(id))],
        [ids.length, []],
        'all that it refers to is there, once'
      );

      environment.set({ NIMBUS_LOCAL_AWS: bench.aws.url });
      Object.assign(named(flow, 'inject', 'every 3 s'), { once: false, repeat: '' });
      const account = named(flow, 'aws-account', 'Camera').id;
      await bench.red.deploy([...flow, detectNode({ operation: 'labels', account, wires: [[]] })], {
        credentials: { [account]: keysOf('demo') }
      });
      const picture = await drawPicture({ things: [] }, { width: 120, height: 90, format: 'jpeg' });
      await bench.red.send('detect', { payload: picture });
      await press(flow, 'every 3 s');
      await shown(flow, 'cost', '$0.0010 today');
      await bench.red.send('detect', { payload: picture });
      setClock(60_000);
      await press(flow, 'every 3 s');
      const { payload } = await shown(flow, 'cost', /^\$0\.0020 today, \$1\.\d\d a day$/);
      const { left, pace } = payload as { left: number; pace: number };
      // 0.001 $ in a minute, and the time that the test takes.
      assert.ok(pace > 1 && pace <= 1.44 && left === 4.998, JSON.stringify(payload));
    });

    it('loses no reading while its link is cut: they wait, and arrive in their order when it is mended', async () => {
      const flow = await deployDemo();
      await press(flow, 'cut the link');
      await shown(flow, 'link', 'cut');
      const { id } = named(flow, 'aws-sqs-send', 'keep and send');
      await press(flow, '50 at once');
      await bench.red.until(() => textsOf(id).some((text) => /^\d+ kept since/.test(text)), 'why they wait');
      await press(flow, 'every 5 s');
      await shown(flow, 'sent', '8 in 2 requests');
      await press(flow, 'mend the link');
      const arrived = () => bench.red.received(named(flow, 'debug', 'arrived').id).map(({ payload }) => payload);
      await bench.red.until(() => arrived().length >= 50, 'all readings');
      const safe = bench.red.received(named(flow, 'debug', 'safe').id).map(({ payload }) => payload);
      assert.deepEqual(plain(arrived().slice(0, 50)), plain(safe.slice(0, 50)));
    });

    it('leaves the debug sidebar to those who press a button', async () => {
      const flow = await readFlow('demo/flows.json');
      const live = ofType(flow, 'group').filter(({ name }) => String(name).startsWith('Live'));
      const shows = ofType(flow, 'debug').filter(({ g, name }) => live.some(({ id }) => id === g) && name !== 'link');
      assert.ok(shows.length > 5 && shows.every(({ tosidebar, tostatus }) => !tosidebar && tostatus));
    });

    it('says at its start whose keys it uses', async () => {
      const flow = await deployDemo();
      const { id } = named(flow, 'aws-account', 'Local AWS');
      const said = () => bench.red.logs.filter((entry) => entry.id === id).map(({ text }) => text);
      await bench.red.until(() => said().length > 0, 'a line of the account');
      assert.deepEqual(said(), [`signed in to account 111111111111 as ${signIns.demo.arn}, region us-east-1`]);
    });
  });
});
