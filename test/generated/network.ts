/**
 * Inputs as the network brings them: answers of each operation, messages that a queue gives, and pictures, made of good ones
 * by `mutate.ts`. Each ends, in a process of little memory, and holds up the event loop for less than a second.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createCanvas } from 'canvas';
import fc from 'fast-check';
import { detectNode, indexFaceNode, invokeNode, listNode, publishNode, receiveNode, sendNode } from '../aws';
import type { FlowNode, Message, NodeRed } from '../node-red';
import { sink } from '../node-red';
import { workTime } from '../work-time';
import { envelope } from './any-service';
import { type Mutation, mutate } from './mutate';
import type { Recipe, Told } from './network-service';

/** Most of time, ms of the event loop's own work, that an input may take. */
export const longestTurn = 1000;

const queue = 'https://sqs.us-east-1.amazonaws.com/111111111111/orders';
const topic = 'arn:aws:sns:us-east-1:111111111111:news';
const operations = ['labels', 'faces', 'identify', 'text', 'moderation', 'celebrities', 'protectiveEquipment'];

/** Nodes whose service answers oddly, each with an account of its own. */
const asking: FlowNode[] = [
  invokeNode({ functionName: 'hello', functionError: 'output', logTail: true, timeout: 20 }),
  invokeNode({ functionName: 'hello', output: 'raw', timeout: 20 }),
  listNode({ scope: 'page' }),
  sendNode({ queue, batch: false }),
  sendNode({ queue }),
  sendNode({ queue: 'orders' }),
  publishNode({ target: topic }),
  publishNode({ target: topic, batch: false }),
  ...operations.map((operation) => detectNode({ operation, collection: 'people', collectionType: 'str' })),
  indexFaceNode({ collection: 'people', imageId: 'Ada', imageIdType: 'str' })
];

/** Nodes that get odd bytes, as a rule of a picture. */
const taking: FlowNode[] = [
  detectNode({ operation: 'identify', collection: 'people', collectionType: 'str' }),
  detectNode({ annotate: 'jpeg', skipUnchanged: 1 }),
  detectNode({ annotate: 'png', operation: 'faces' }),
  indexFaceNode({ collection: 'people', imageId: 'Ada', imageIdType: 'str' }),
  invokeNode({ functionName: 'hello' }),
  sendNode({ queue }),
  publishNode({ target: topic })
];

/** Every other one has two wires, for which Node-RED copies a message. */
const receiving: FlowNode[] = Array.from({ length: 8 }, (_, index) =>
  receiveNode({
    queue,
    unwrap: index % 3 === 0,
    bodyFormat: index % 4 === 0 ? 'buffer' : 'auto',
    wires: [index % 2 === 0 ? ['out'] : ['out', 'other']]
  })
);

const canvas = createCanvas(160, 120);
canvas.getContext('2d').fillText('nimbus', 20, 60);
const pictures = [canvas.encodeSync('png'), canvas.encodeSync('jpeg', 80)];

const place = fc.integer({ min: 0, max: 10_000 }).map((number) => number / 10_000);
const odd = fc.constantFrom(
  'null',
  '{}',
  '[]',
  '""',
  '-1',
  '1e999',
  '0.1',
  'true',
  '{"a":1}',
  '"\\u0000"',
  '"\\ud800"',
  '"',
  '\\',
  '<',
  '&lt;',
  '<a>',
  '<!--',
  '<![CDATA[',
  '{"__proto__":{"a":1}}',
  '{"constructor":1}',
  '"\\"',
  '&#0;',
  '\u202e',
  '\r\n',
  '\ufeff'
);
const deepOrLong = fc.constantFrom(
  '[',
  '{"a":',
  '<a>',
  '[[],',
  '{},',
  '"\\"',
  '\\"',
  ' ',
  '0',
  '😀',
  '&amp;',
  'a.',
  '":"'
);

/** How often: as a rule a few times, sometimes very often. */
const times = (most: number) =>
  fc.oneof(
    { arbitrary: fc.integer({ min: 1, max: 100 }), weight: 30 },
    { arbitrary: fc.integer({ min: 100, max: 20_000 }), weight: 6 },
    { arbitrary: fc.integer({ min: 20_000, max: most }), weight: 1 }
  );

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    arbitrary: fc.record({ do: fc.constant('flip' as const), at: place, bit: fc.integer({ min: 0, max: 7 }) }),
    weight: 4
  },
  { arbitrary: fc.record({ do: fc.constant('cut' as const), at: place }), weight: 2 },
  {
    arbitrary: fc.record({ do: fc.constant('value' as const), at: place, text: odd, times: fc.constant(1) }),
    weight: 6
  },
  {
    arbitrary: fc.record({
      do: fc.constantFrom('insert' as const, 'value' as const),
      at: place,
      text: fc.oneof(odd, deepOrLong),
      times: times(3_000_000)
    }),
    weight: 3
  },
  {
    arbitrary: fc.record({
      do: fc.constant('all' as const),
      text: deepOrLong,
      times: times(4_000_000),
      end: fc.constantFrom('', ']', '{}]}', '</a>')
    }),
    weight: 1
  }
);

const header = fc.constantFrom<Record<string, string>>(
  { 'content-type': 'text/html' },
  { 'content-type': 'application/cbor' },
  { 'x-amzn-errortype': 'Constructor:http://x/' },
  { 'x-amzn-errortype': '__proto__' },
  { 'x-amz-function-error': 'Unhandled' },
  { 'x-amz-log-result': Buffer.from('\u001b[2J log').toString('base64') },
  { 'x-amzn-requestid': 'x'.repeat(5000) },
  { 'x-amz-executed-version': '' },
  { 'retry-after': '-1' },
  { date: 'no date' },
  { location: 'https://example.com/' }
);

const recipe: fc.Arbitrary<Recipe> = fc.record(
  {
    status: fc.oneof(
      { arbitrary: fc.constant(200), weight: 40 },
      { arbitrary: fc.constantFrom(400, 403, 404, 413), weight: 15 },
      { arbitrary: fc.constantFrom(201, 202, 204, 299, 301, 304, 999), weight: 4 },
      // The SDK asks again after these, with pauses.
      { arbitrary: fc.constantFrom(429, 500, 503), weight: 1 }
    ),
    headers: fc.array(header, { maxLength: 2 }).map((all) => Object.assign({}, ...all) as Record<string, string>),
    mutations: fc.array(mutation, { maxLength: 4 }),
    gzip: fc.oneof(
      { arbitrary: fc.constant(undefined), weight: 40 },
      { arbitrary: fc.constantFrom('right' as const, 'wrong' as const), weight: 10 },
      { arbitrary: fc.constant('bomb' as const), weight: 1 }
    ),
    length: fc.oneof(
      { arbitrary: fc.constantFrom<number | 'chunks'>(0, 'chunks'), weight: 20 },
      { arbitrary: fc.constantFrom(-5, 5, 2 ** 40), weight: 1 }
    ),
    end: fc.oneof(
      { arbitrary: fc.constant('right' as const), weight: 60 },
      { arbitrary: fc.constant('cut' as const), weight: 6 },
      { arbitrary: fc.constant('never' as const), weight: 1 }
    )
  },
  { requiredKeys: ['status', 'headers', 'mutations', 'length', 'end'] }
);

const longText = (most: number): fc.Arbitrary<Given> =>
  fc.record({ text: fc.oneof(odd, deepOrLong), times: times(most), end: fc.constantFrom('', ']', '"', '}') });
/** Lists in each other. */
const deepText = (most: number): fc.Arbitrary<Given> =>
  times(most).map((depth) => ({ text: '[', times: depth, end: ']'.repeat(depth) }));

/** A message of a queue; its texts are written when it is sent. */
const received = fc.record({
  body: fc.oneof({ arbitrary: longText(100_000), weight: 5 }, { arbitrary: deepText(50_000), weight: 1 }),
  /** Whether a topic sent it. */
  isPublished: fc.boolean(),
  attributes: fc.dictionary(
    fc.constantFrom('a', '__proto__', 'constructor', 'b.c', '', 'x'),
    fc.record({
      DataType: fc.constantFrom('String', 'Number', 'Binary', 'String.Array', 'Number.int', 'Binary.x', 'x'),
      StringValue: longText(20_000),
      BinaryValue: fc.oneof(
        { arbitrary: fc.constant('AAAA'), weight: 5 },
        { arbitrary: fc.constantFrom('', '****', 'AQI', '=='), weight: 1 }
      )
    }),
    { maxKeys: 4 }
  ),
  system: fc.dictionary(
    fc.constantFrom(
      'ApproximateReceiveCount',
      'ApproximateFirstReceiveTimestamp',
      'SentTimestamp',
      'SequenceNumber',
      'MessageGroupId',
      '__proto__'
    ),
    fc.constantFrom('1', '', 'x', '-1', '9'.repeat(400)),
    { maxKeys: 3 }
  )
});

type Given = { text: string; times: number; end: string };
const written = ({ text, times, end }: Given): string => text.repeat(Math.min(times, 1_000_000 / text.length)) + end;

const picture = fc.record({
  base: fc.constantFrom(0, 1),
  as: fc.constantFrom('Buffer', 'base64', 'data URL', 'JSON'),
  mutations: fc.array(
    fc.oneof(
      { arbitrary: mutation, weight: 8 },
      // More than any field takes.
      { arbitrary: fc.constant<Mutation>({ do: 'all', text: '\0', times: 16 * 1024 * 1024, end: '' }), weight: 1 },
      {
        arbitrary: fc.record({
          do: fc.constant('number' as const),
          at: fc.oneof(
            place.map((at) => at / 20),
            place
          ),
          bytes: fc.constantFrom(2 as const, 4 as const),
          value: fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(8000, 10_000, 65_535, 2 ** 31))
        }),
        weight: 12
      }
    ),
    { minLength: 1, maxLength: 3 }
  )
});

/** Lines of sign-ins that are tried as an account's dialog does. */
const signIns = 3;
const role = 'arn:aws:iam::111111111111:role/reader';

export type Input =
  | { kind: 'answer'; node: number; recipe: Recipe }
  | { kind: 'signIn'; node: number; operation: 'AssumeRole' | 'GetCallerIdentity'; recipe: Recipe }
  | { kind: 'picture'; node: number; base: number; as: string; mutations: Mutation[] }
  | {
      kind: 'message';
      node: number;
      body: Given;
      isPublished: boolean;
      attributes: Record<string, { DataType: string; StringValue: Given; BinaryValue: string }>;
      system: Record<string, string>;
    };

const signIn = fc.record({
  kind: fc.constant('signIn' as const),
  node: fc.nat(signIns - 1),
  operation: fc.constantFrom('AssumeRole' as const, 'GetCallerIdentity' as const),
  recipe
});

const nodeOf = (all: FlowNode[]) => fc.nat(all.length - 1);

export const anyInput: fc.Arbitrary<Input> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('answer' as const), node: nodeOf(asking), recipe }), weight: 6 },
  { arbitrary: signIn, weight: 1 },
  {
    arbitrary: fc
      .tuple(nodeOf(receiving), received)
      .map(([node, message]): Input => ({ kind: 'message', node, ...message })),
    weight: 1
  },
  {
    arbitrary: fc.tuple(nodeOf(taking), picture).map(([node, of]): Input => ({ kind: 'picture', node, ...of })),
    weight: 2
  }
);

/** Looks how long the event loop is held up: by the clock, and by its own work, which a busy machine does not make longer. */
class Heart {
  /** Ms, of all that was looked at. */
  longestWall = 0;
  longestWork = 0;
  /** Bytes. */
  heap = 0;

  /** Gives the most work of one turn while something is done, ms. */
  async during(work: () => Promise<void>): Promise<number> {
    let wall = performance.now();
    let cpu = workTime();
    let longest = 0;
    const beat = () => {
      const [now, worked] = [performance.now(), workTime()];
      longest = Math.max(longest, worked - cpu);
      this.longestWall = Math.max(this.longestWall, now - wall);
      this.heap = Math.max(this.heap, process.memoryUsage().heapUsed);
      [wall, cpu] = [now, worked];
    };
    const timer = setInterval(beat, 20);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
    beat();
    this.longestWork = Math.max(this.longestWork, longest);
    return longest;
  }
}

const idOf = ({ kind, node }: Input): string => `${kind}-${node}`;
const accountOf = (id: string) => `account-${id}`;
const keys = { accessKeyId: 'AKIATRIAL', secretAccessKey: 'a-secret-of-the-trial' };

export interface Summary {
  inputs: number;
  /** By node and what became of its inputs. */
  outcomes: Map<string, number>;
  /** Ms. */
  longestWall: number;
  longestWork: number;
  /** MB. */
  heap: number;
}

/** Inputs between two deployments, which end what the harness remembers of each message. */
const batchSize = 500;
/** Ms after which an input counts as one that does not end: on a busy machine the others come late. */
const longestInput = 120_000;
/** Ms after which a queue gives a message again. */
const redelivery = 10_000;
/** Ms that are spent on finding the smallest input. */
const longestSearch = 600_000;

/** An input that did not end as it should. */
class Failure extends Error {
  constructor(
    readonly input: Input,
    cause: unknown
  ) {
    super(`an input did not end: ${JSON.stringify(input).slice(0, 3000)}`, { cause });
  }
}

function checkTurn(held: number): void {
  if (held > longestTurn) throw new Error(`the event loop was held up for ${held.toFixed()} ms`);
}

class Network {
  readonly outcomes = new Map<string, number>();
  readonly heart = new Heart();
  #heard: Promise<unknown> = Promise.resolve();
  #messages = 0;

  private constructor(
    private readonly red: NodeRed,
    private readonly worker: Worker,
    private readonly port: number
  ) {}

  static async start(red: NodeRed): Promise<Network> {
    const worker = new Worker(join(__dirname, 'network-service.ts'), {
      execArgv: ['--require', 'tsx/cjs'],
      resourceLimits: { maxOldGenerationSizeMb: 1000 }
    });
    const [port] = (await once(worker, 'message')) as [number];
    return new Network(red, worker, port);
  }

  async stop(): Promise<void> {
    await this.red.deploy([]);
    await this.worker.terminate();
  }

  async deploy(): Promise<void> {
    const all = (
      [
        ['answer', asking],
        ['picture', taking],
        ['message', receiving]
      ] as const
    ).flatMap(([kind, nodes]) =>
      nodes.map((node, index) => ({ ...node, id: `${kind}-${index}`, account: accountOf(`${kind}-${index}`) }))
    );
    const accounts = all.map(({ id }) => ({
      id: accountOf(id),
      type: 'aws-account',
      source: 'keys',
      region: 'us-east-1',
      endpoint: this.#endpointOf(id),
      validate: false,
      rekognitionRate: 0
    }));
    const credentials = Object.fromEntries(accounts.map(({ id }) => [id, keys]));
    this.red.clearLogs();
    await this.red.deploy([...all, ...accounts, sink('out'), sink('other')], { credentials });
  }

  /** Runs inputs, those of a node one after the other. */
  async run(inputs: Input[]): Promise<void> {
    const ids = new Set(inputs.map(idOf));
    await Promise.all([...ids].map((id) => this.#runLine(inputs.filter((input) => idOf(input) === id))));
  }

  async #runLine(line: Input[]): Promise<void> {
    for (const input of line) {
      try {
        if (input.kind === 'message') await this.#receive(input);
        else if (input.kind === 'signIn') await this.#signIn(input);
        else await this.#ask(input);
      } catch (cause) {
        throw new Failure(input, cause);
      }
    }
  }

  /** Looks for the smallest input that fails alone, beginning with the one that is known to fail, if any; gives it as text. */
  async smallest(seed: number, inputs: Input[], known: Input | undefined): Promise<string> {
    const alone = fc.asyncProperty(anyInput, async (input) =>
      checkTurn(await this.heart.during(() => this.run([input])))
    );
    const place = known ? { path: String(inputs.indexOf(known)), numRuns: 1 } : { numRuns: inputs.length };
    await this.deploy();
    const { counterexample } = await fc.check(alone, { seed, ...place, interruptAfterTimeLimit: longestSearch });
    return counterexample ? `the smallest: ${JSON.stringify(counterexample)}` : 'only in company';
  }

  #endpointOf(id: string): string {
    return `http://127.0.0.1:${this.port}/${id}`;
  }

  /** Only one thing is told at a time, so that what is heard belongs to it. */
  #tell(told: Told): Promise<unknown> {
    this.#heard = this.#heard.then(async () => {
      const heard = once(this.worker, 'message');
      this.worker.postMessage(told);
      await heard;
    });
    return this.#heard;
  }

  async #ask(input: Input & { kind: 'answer' | 'picture' }): Promise<void> {
    const id = idOf(input);
    if (input.kind === 'answer') await this.#tell({ id, recipe: input.recipe });
    const payload = input.kind === 'answer' ? pictures[1] : payloadOf(input);
    const { error, done } = await this.red.send(id, { payload } as Message, longestInput);
    if (done !== 1) throw new Error(`${id} ended ${done} times: ${JSON.stringify(input).slice(0, 2000)}`);
    this.#count(id, error?.name ?? 'sent');
  }

  /** As the dialog of an account tests what stands in it. */
  async #signIn({ operation, recipe, ...input }: Input & { kind: 'signIn' }): Promise<void> {
    const id = idOf({ operation, recipe, ...input });
    await this.#tell({ id, recipe, operation });
    const account = { source: 'keys', region: 'us-east-1', endpoint: this.#endpointOf(id) };
    const properties = { ...account, ...(operation === 'AssumeRole' && { roleArn: role }) };
    const response = await fetch(new URL('aws-account/test', this.red.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ id: '', properties, credentials: keys }),
      signal: AbortSignal.timeout(longestInput)
    });
    const { refusal } = (await response.json()) as { refusal?: { kind: string } };
    if (response.status !== 200) throw new Error(`the test ended with ${response.status}`);
    this.#count(id, refusal?.kind ?? 'signed in');
  }

  /** A good message comes behind it: when that has come, the other one was taken. */
  async #receive(input: Input & { kind: 'message' }): Promise<void> {
    const id = idOf(input);
    // A receiver knows those that it has by their ids.
    this.#messages += 1;
    const good = `good${this.#messages}`;
    const message = (MessageId: string, more: object) => ({ MessageId, ReceiptHandle: MessageId, ...more });
    const MessageAttributes = Object.fromEntries(
      Object.entries(input.attributes).map(([name, each]) => [
        name,
        { ...each, StringValue: written(each.StringValue) }
      ])
    );
    const Body = written(input.body);
    const odd = message(`odd${this.#messages}`, {
      Body: input.isPublished ? JSON.stringify({ ...envelope, Message: Body }) : Body,
      MessageAttributes,
      Attributes: input.system
    });
    const messages = [odd, message(good, { Body: 'good' })];
    await this.#tell({ id, messages });
    const before = this.red.sent(id).length;
    const hasCome = () =>
      this.red
        .sent(id)
        .slice(before)
        .some(({ aws }) => aws?.messageId === good);
    for (let waited = 0; waited < longestInput && !hasCome(); waited += redelivery) {
      // What was given to a request that was just ended comes again, as from a queue.
      if (waited > 0) await this.#tell({ id, messages });
      await this.red.until(hasCome, 'the message behind it', redelivery).catch(() => undefined);
    }
    const said = this.red.logs.filter((entry) => entry.id === id).map(({ text }) => text);
    if (!hasCome()) throw new Error(`the message behind it never came: ${said.slice(-5).join('\n')}`);
    this.#count(id, 'sent');
  }

  #count(id: string, outcome: string): void {
    const key = `${id} ${outcome.slice(0, 60)}`;
    this.outcomes.set(key, (this.outcomes.get(key) ?? 0) + 1);
  }
}

function payloadOf({ base, as, mutations }: Input & { kind: 'picture' }): unknown {
  const bytes = mutate(pictures[base] as Buffer, mutations);
  // As text, the long ones of several nodes would fill the heap by themselves.
  if (bytes.length > 1_000_000) return bytes;
  if (as === 'base64') return bytes.toString('base64');
  if (as === 'data URL') return `data:image/png;base64,${bytes.toString('base64')}`;
  return as === 'JSON' && bytes.length < 100_000 ? { type: 'Buffer', data: [...bytes] } : bytes;
}

/** Runs so many inputs. Rejects where one does not end, or where one holds up the event loop for too long. */
export async function runNetwork(
  red: NodeRed,
  { inputs, seed, say = () => undefined }: { inputs: number; seed: number; say?: (line: string) => void }
): Promise<Summary> {
  const network = await Network.start(red);
  let done = 0;
  try {
    for (let batch = 0; done < inputs; batch += 1) {
      const sample = fc.sample(anyInput, { seed: seed + batch, numRuns: Math.min(batchSize, inputs - done) });
      await network.deploy();
      try {
        checkTurn(await network.heart.during(() => network.run(sample)));
      } catch (cause) {
        say(`found: ${cause instanceof Error ? cause.message : String(cause)}`);
        const known = cause instanceof Failure ? cause.input : undefined;
        throw new Error(`seed ${seed + batch}: ${await network.smallest(seed + batch, sample, known)}`, { cause });
      }
      done += sample.length;
      if (batch % 10 === 9) say(`${done} inputs`);
    }
  } finally {
    await network.stop();
  }
  const { longestWall, longestWork, heap } = network.heart;
  return { inputs: done, outcomes: network.outcomes, longestWall, longestWork, heap: heap / 1024 / 1024 };
}
