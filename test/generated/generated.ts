/**
 * Generated cases: any settings of each node, any message, any answer of the service, and a deployment in between. For each
 * message must hold what the contract says of all of them, whatever becomes of it.
 */
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { createCanvas } from 'canvas';
import fc from 'fast-check';
import { types } from '../../scripts/nodes.mjs';
import { asksNothing, contract } from '../contract';
import type { FlowNode, Message, NodeRed, Outcome } from '../node-red';
import { sink } from '../node-red';
import { startLeaps } from '../outbox/leaps';
import { setClock } from '../set-clock';
import { type AnswerPlan, AnyService, answerKinds, envelope, messagesIn, mistimed, secrets } from './any-service';
import { anyLongText, anyShape, type LongText, shapes, writeLongText } from './long-texts';

/** The value of a typed field as a flow stores it. */
type Typed = [value: unknown, type: string];

/** One node, the messages that it gets, and what the service answers: plain data, so that a failing one can be read. */
export interface Trial {
  type: string;
  settings: Record<string, unknown>;
  account: Record<string, unknown>;
  /** By name: those of `values`, or plain data. */
  messages: Record<string, Value>[];
  answers: AnswerPlan[];
  /** Which part of its messages cannot be written: one of `seals`. */
  seal?: string | undefined;
  /** How far the service's clock is ahead of the true time, ms. */
  ahead: number;
  /** The realm that its messages are made in: one of `realms`. */
  realm: string;
  /** The operations that the answers are for; all where nothing is said. */
  operations?: string[] | undefined;
}
type Value = { named: string } | { plain: unknown } | { long: LongText; shape: string };

/** Two queues, one of them by two of its names. */
const fifoQueues = ['https://sqs.us-east-1.amazonaws.com/111111111111/x.fifo', 'y.fifo', 'x.fifo'];
/** Keys that a message brings. */
const keys = { accessKeyId: 'AKIAMESSAGE', secretAccessKey: secrets.message };
const picture = createCanvas(96, 96).toBuffer('image/png');

/** The realm of the pack and of Node-RED's own nodes, and one as Function nodes have. */
const realms: Record<string, typeof globalThis> = { own: globalThis, other: runInNewContext('globalThis') };

function circular(): object {
  const object: Record<string, unknown> = { name: 'x' };
  object.itself = object;
  return object;
}
function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}
const thrower = (): never => {
  throw new TypeError('a trap');
};
const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

/** What a function, a getter or a proxy of a message may throw. */
const oddThings: Record<string, () => unknown> = {
  'a number for a message': () => ({ message: 5 }),
  'a bigint for a message': () => ({ message: 10n }),
  'errors that are null': () => ({ errors: null }),
  'a message that contains itself': () => ({ message: circular(), code: circular() }),
  'what was revoked': () => revoked(new Error('no')),
  'what throws itself': () => new Proxy(new Error('no'), { get: thrower, getPrototypeOf: thrower, has: thrower }),
  'a name that gives no text': () => Object.assign(new Error('no'), { name: { toString: 1 }, $metadata: null }),
  'what cannot be changed': () => Object.freeze({ message: 'no', code: 'D1001' }),
  'control characters': () => new Error('a\u001b[2Jb\r\nc\u202ed'),
  'a long text': () => 'x'.repeat(1_000_000)
};
const throwing = Object.entries(oddThings).flatMap(([name, make]): [string, () => unknown][] => {
  const trap = (): never => {
    throw make();
  };
  return [
    [`getter that throws ${name}`, () => Object.defineProperty({}, 'name', { enumerable: true, get: trap })],
    [`function that throws ${name}`, () => ({ name: trap, toJSON: trap })],
    [`proxy that throws ${name}`, () => new Proxy({}, { get: trap, ownKeys: trap, has: trap, getPrototypeOf: trap })]
  ];
});

/** What JSON cannot say, and what is meant to do harm. Made anew for each message, in a realm. */
const values: Record<string, (realm: typeof globalThis) => unknown> = {
  ...Object.fromEntries(throwing),
  picture: (realm) => new realm.Uint8Array(picture),
  'broken keys': () => ({ ...keys, accessKeyId: 'AKIA MESSAGE' }),
  'another handle': () => ({ handle: 'of nobody' }),
  undefined: () => undefined,
  function: () => () => 1,
  symbol: () => Symbol('x'),
  bigint: () => 17n,
  'not a number': () => Number.NaN,
  infinity: () => Number.POSITIVE_INFINITY,
  'invalid date': (realm) => new realm.Date(Number.NaN),
  date: (realm) => new realm.Date(0),
  pattern: (realm) => new realm.RegExp('x'),
  map: (realm) => new realm.Map([[1, 2]]),
  // That of Function nodes is Node-RED's own.
  buffer: () => Buffer.from('{"a": 1}'),
  'empty buffer': () => Buffer.alloc(0),
  bytes: (realm) => new realm.Uint8Array([123, 125]),
  'array buffer': (realm) => new realm.ArrayBuffer(8),
  'bytes of a member': (realm) => ({ a: new realm.Uint8Array([1, 2, 3]) }),
  'half a character': () => 'x\ud83d',
  'the other half': () => ({ text: '\udc00' }),
  nul: () => 'a\u0000b',
  'long list': () => Array.from({ length: 2000 }, () => 'hello'),
  'sparse list': () => new Array(100_000),
  deep: () => nested(3000),
  circular,
  revoked: () => revoked({}),
  'revoked list': () => revoked([]),
  'getter that throws': () => Object.defineProperty({}, 'name', { enumerable: true, get: thrower }),
  'proxy that throws': () => new Proxy({}, { get: thrower, ownKeys: thrower, has: thrower }),
  'toJSON that throws': () => ({ toJSON: thrower }),
  'toJSON of nothing': () => ({ toJSON: () => undefined }),
  'text that throws': () => ({ toString: thrower, [Symbol.toPrimitive]: thrower }),
  prototype: () => JSON.parse('{"__proto__": {"x": 1}, "constructor": 1}') as unknown,
  'no prototype': () => Object.assign(Object.create(null), { x: 1 }),
  'own hasOwnProperty': () => ({ hasOwnProperty: 1 }),
  thenable: () => Object.fromEntries([['then', () => undefined]]),
  promise: (realm) => new realm.Promise(() => undefined),
  error: (realm) => new realm.EvalError('an error')
};

/** Messages of which a part cannot be written. */
const seals: Record<string, (msg: Message) => Message> = {
  'a payload that can only be read': (msg) =>
    Object.defineProperty(msg, 'payload', { value: msg.payload, writable: false, enumerable: true }),
  'aws that has only a getter': (msg) => {
    const { aws } = msg;
    return Object.defineProperty(msg, 'aws', { get: () => aws, enumerable: true, configurable: false });
  },
  'all that cannot be changed': (msg) => Object.freeze(msg)
};

function makeValue(value: Value, realm = globalThis): unknown {
  if ('named' in value) return values[value.named]?.(realm);
  if ('long' in value) return shapes[value.shape]?.(writeLongText(value.long));
  return realm.JSON.parse(JSON.stringify(value.plain));
}

interface Working {
  fields: Record<string, Typed>;
  /** Named values that it takes as a payload. */
  payload: string[];
  plain?: Record<string, unknown[]>;
  /** What some trials have instead, so that there are several targets. */
  many?: Record<string, Typed>[];
}

/** What makes a request of each node, as a user sets it; a node that is not here is tried as it was dragged in. */
const working: Record<string, Working> = {
  'aws-lambda-invoke': {
    fields: { functionName: ['hello', 'str'] },
    many: [
      { functionName: ['targets', 'msg'] },
      { tenantId: ['blue', 'str'], durableName: ['order-7', 'str'], clientContext: ['{"custom": {"a": 1}}', 'json'] }
    ],
    payload: ['buffer', 'date', 'map'],
    plain: {
      invocationType: ['RequestResponse', 'Event', 'DryRun'],
      functionError: ['error', 'output'],
      logTail: [true, false],
      hostContext: [true, false],
      // The first is over before some answers come; on a busy machine the others are not.
      timeout: [2, 60, 60, 60],
      retries: [0, 1],
      keep: [false, true]
    }
  },
  'aws-lambda-list': { fields: { marker: ['none', 'msg'] }, payload: ['date'], plain: { scope: ['all', 'page'] } },
  'aws-lambda-callback': {
    fields: { callbackId: ['bm9ib2R5', 'str'], error: ['"no " & $string(payload)', 'jsonata'] },
    payload: ['date', 'map', 'buffer'],
    plain: { action: ['success', 'failure', 'heartbeat'] }
  },
  'aws-sns-publish': {
    fields: { target: ['arn:aws:sns:us-east-1:111111111111:topic', 'str'] },
    many: [{ target: ['numbers', 'msg'] }],
    payload: ['date', 'map', 'buffer'],
    plain: { batch: [true, false], keep: [false, false, true] }
  },
  'aws-sqs-send': {
    fields: { queue: ['orders', 'str'] },
    many: [{ queue: ['targets', 'msg'] }, { queue: ['queues', 'msg'], groupId: ['group', 'str'] }],
    payload: ['date', 'map', 'buffer'],
    plain: { batch: [true, false], keep: [false, false, true] }
  },
  'aws-sqs-receive': {
    fields: {},
    payload: [],
    plain: {
      queue: ['orders'],
      settle: ['sent', 'flow'],
      bodyFormat: ['auto', 'string', 'buffer'],
      unwrap: [true, false],
      maxInFlight: [1, 10]
    }
  },
  'aws-sqs-settle': { fields: {}, payload: ['date', 'revoked'], plain: { action: ['delete', 'return'] } },
  'aws-usage': { fields: {}, payload: ['date', 'map', 'buffer'], plain: { period: ['current', 'last'] } },
  'aws-rekognition-detect': {
    fields: { collection: ['family', 'str'] },
    many: [{ required: ['head_cover, hand_cover', 'str'], targets: ['["vehicle", "person"]', 'json'] }],
    payload: ['picture'],
    plain: {
      operation: ['labels', 'faces', 'identify', 'text', 'moderation', 'celebrities', 'protectiveEquipment'],
      annotate: ['none', 'none', 'none', 'jpeg'],
      imageQuality: [false, true],
      saveLatest: ['each', 'found'],
      saveBoxes: [true, false]
    }
  },
  'aws-rekognition-faces': {
    fields: { collection: ['family', 'str'], imageId: ['Ada Lovelace', 'str'], target: ['payload', 'msg'] },
    many: [{ faceIds: ['["11111111-1111-1111-1111-111111111111"]', 'json'] }],
    payload: ['picture'],
    plain: { action: ['list', 'forget', 'compare'] }
  },
  'aws-rekognition-index-face': {
    fields: { collection: ['family', 'str'], imageId: ['Ada Lovelace', 'str'] },
    payload: ['picture']
  }
};
/** Which operations of a node the answers are for, where these are not all. */
const answered: Record<string, (string[] | undefined)[]> = {
  'aws-sqs-settle': [['DeleteMessage', 'ChangeMessageVisibility']],
  'aws-sqs-receive': [undefined, ['DeleteMessage']]
};
/** The nodes of which there are trials. A receiver belongs to each that settles; one of its own has a queue for its messages. */
export const nodeTypes = types.filter((type) => type !== 'aws-account');
/** Nodes whose message keeps its payload. */
const keepsPayload = new Set(['aws-lambda-callback']);

const named = fc.constantFrom(...Object.keys(values)).map((name): Value => ({ named: name }));
const plain = fc.jsonValue({ maxDepth: 3 }).map((value): Value => ({ plain: value }));
const long = fc.record({ long: anyLongText, shape: anyShape });
const anyValue = fc.oneof(
  { arbitrary: named, weight: 12 },
  { arbitrary: plain, weight: 12 },
  { arbitrary: long, weight: 1 }
);

/** Sources that a user can choose for any field; `x` and `y` of the message are anything. */
const anySource = fc.constantFrom<Typed>(
  ['x', 'msg'],
  ['x', 'msg'],
  ['y.name', 'msg'],
  ['x[msg.y]', 'msg'],
  ['targets', 'msg'],
  ['none', 'msg'],
  ['settings.none', 'flow'],
  ['kept', 'flow'],
  ['a[msg.none]', 'global'],
  ['NIMBUS_NONE', 'env'],
  ['x', 'jsonata'],
  ['$error("no")', 'jsonata'],
  ['x.name()', 'jsonata'],
  ['$error(x)', 'jsonata'],
  ['$uppercase', 'jsonata'],
  ['$flowContext("kept")', 'jsonata'],
  ['"a text"', 'jsonata'],
  ['17', 'num'],
  ['x', 'num'],
  ['true', 'bool'],
  ['{"a": [1]}', 'json'],
  ['{', 'json'],
  ['text', 'str'],
  ['', 'str'],
  ['text', 'no such type']
);

/** Settings of an account; its sign-in stays with its own keys, so that nobody else is asked for any. */
const role = { roleArn: 'arn:aws:iam::111111111111:role/x' };
const oddAccount = fc.constantFrom<Record<string, unknown>>(
  { region: '' },
  { region: 'EU-WEST-1' },
  { region: '${NIMBUS_NONE}' },
  { endpoint: 'not a URL' },
  { source: 'profile' },
  { source: 'profile', profile: 'none' },
  { source: 'no such source' },
  { source: 'certificate' },
  { source: 'certificate', tls: 'none', credentialEndpoint: 'localhost:1', roleAlias: 'alias' },
  { source: 'certificate', tls: 'none', credentialEndpoint: 'https://a/b', roleAlias: 'a/../b\r\nc' },
  {
    source: 'certificate',
    tls: 'none',
    exchange: 'rolesAnywhere',
    trustAnchorArn: 'arn',
    profileArn: '${NIMBUS_NONE}'
  },
  {
    source: 'certificate',
    tls: '${NIMBUS_NONE}',
    exchange: 'rolesAnywhere',
    trustAnchorArn: 'arn:aws:rolesanywhere:us-east-1:111111111111:trust-anchor/a',
    profileArn: 'arn:aws:rolesanywhere:us-east-1:111111111111:profile/a',
    certificateRoleArn: role.roleArn
  },
  { roleArn: 'no ARN' },
  { ...role, duration: 1 },
  { ...role, duration: '3600' },
  { ...role, sessionName: 'two words' },
  { rekognitionRate: 'often' },
  { rekognitionRate: -1 },
  { budget: 'much' },
  { budget: 0 },
  { budget: '0.000001', budgetPeriod: 'day' },
  { budgetPeriod: 'week' },
  { validate: true },
  { name: 'x'.repeat(5000) }
);

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('x'.repeat(5000), '<&>', '__proto__', 'a\u001b[2Jb\r\nc\u202ed')
);
/** A property of a saved node. Node-RED itself makes each into text, and takes no flow where that fails. */
const oddProperty = odd.filter((value) => {
  try {
    return String(value) !== undefined;
  } catch {
    return false;
  }
});
/** How far a clock may be from the true time, ms: a minute, 2 hours, 400 days. */
const skew = fc.constantFrom(...[60, 7200, 400 * 86_400].flatMap((seconds) => [1000 * seconds, -1000 * seconds]));
const anyAnswer: fc.Arbitrary<AnswerPlan> = fc.record(
  {
    kind: fc.constantFrom(...answerKinds),
    delay: fc.constantFrom(0, 0, 5, 30),
    odd,
    at: fc.nat(12),
    clock: fc.oneof({ arbitrary: skew, weight: 1 }, { arbitrary: fc.constant(0), weight: 1 })
  },
  { requiredKeys: ['kind', 'delay', 'odd', 'at'] }
);

const anyAccount: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 12 },
  { arbitrary: fc.constant(role), weight: 3 },
  { arbitrary: oddAccount, weight: 1 },
  {
    arbitrary: fc
      .tuple(
        fc.constantFrom('name', 'profile', 'region', 'roleArn', 'sessionName', 'duration', 'budget', 'rekognitionRate'),
        oddProperty
      )
      // A message waits its turn for as long as the account says: less than a request a second is no odd setting.
      .filter(([name, value]) => name !== 'rekognitionRate' || !(Number(value) > 0 && Number(value) < 1))
      .map(([name, value]) => ({ [name]: value })),
    weight: 1
  }
);

/** Typed fields as a flow holds them. */
function savedFields(fields: Record<string, Typed>): Record<string, unknown> {
  const properties = Object.entries(fields).map(([name, [value, type]]) => ({ [name]: value, [`${name}Type`]: type }));
  return Object.assign({}, ...properties) as Record<string, unknown>;
}

/** A node that works, with some of its fields set to anything: most messages must come as far as the service. */
function trialOf(type: string): fc.Arbitrary<Trial> {
  const { fields, many = [{}], payload, plain: choices = {} } = working[type] ?? { fields: {}, payload: ['date'] };
  const { typed, properties, inputs = 1 } = contract[type] as (typeof contract)[string];
  const own = { ...choices, ...(inputs > 0 ? { output: ['parsed', 'raw'] } : {}) };
  const usual = fc.record(
    Object.fromEntries(Object.entries(own).map(([name, options]) => [name, fc.constantFrom(...options)]))
  );
  const wrongPlain = fc
    .tuple(
      fc.constantFrom(...Object.keys(properties).filter((name) => !typed.includes(name) && name !== 'account')),
      oddProperty
    )
    .filter(([name]) => !name.endsWith('Type'))
    .map(([name, value]) => ({ [name]: value }));
  const wrongTyped = typed.map((name) =>
    anySource.map(([value, kind]): Record<string, unknown> => ({ [name]: value, [`${name}Type`]: kind }))
  );
  const wrong = fc.array(fc.oneof(...wrongTyped, wrongPlain), { minLength: 1, maxLength: 3 });
  const more = fc.oneof(
    { arbitrary: fc.constant<Record<string, unknown>[]>([]), weight: 7 },
    { arbitrary: wrong, weight: 3 }
  );
  const keys = fc.constantFrom({}, {}, {}, { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' });
  const goodPayload = fc.oneof(
    fc.constantFrom(...(payload.length > 0 ? payload : ['undefined'])).map((name): Value => ({ named: name })),
    ...(payload.includes('picture') ? [] : [fc.object().map((): Value => ({ plain: { a: 1 } })), plain])
  );
  const message = fc.record({
    payload: fc.oneof({ arbitrary: goodPayload, weight: 9 }, { arbitrary: anyValue, weight: 1 }),
    x: anyValue,
    y: anyValue,
    aws: fc.oneof(
      { arbitrary: fc.constant<Value>({ plain: { messageId: 'm' } }), weight: 12 },
      { arbitrary: fc.constant<Value>({ named: 'another handle' }), weight: 1 },
      { arbitrary: anyValue, weight: 2 }
    )
  });
  const base = fc.oneof(
    { arbitrary: fc.constant(savedFields(fields)), weight: 7 },
    { arbitrary: fc.constantFrom(...many).map((targets) => savedFields({ ...fields, ...targets })), weight: 1 }
  );
  return fc.record({
    type: fc.constant(type),
    settings: fc
      .tuple(base, usual, keys, more)
      .map(
        ([own, chosen, signIn, list]) =>
          Object.assign({ ...own, ...chosen, ...signIn }, ...list) as Record<string, unknown>
      ),
    // What settles has none of its own.
    account: type === 'aws-sqs-settle' ? fc.constant({}) : anyAccount,
    messages: fc.array(message, { minLength: 1, maxLength: 2 }),
    seal: fc.oneof(
      { arbitrary: fc.constant(undefined), weight: 15 },
      { arbitrary: fc.constantFrom(...Object.keys(seals)), weight: 1 }
    ),
    ahead: fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, { arbitrary: skew, weight: 1 }),
    realm: fc.constantFrom('own', 'other'),
    operations: fc.constantFrom(...(answered[type] ?? [undefined])),
    answers: fc.oneof(
      { arbitrary: fc.constant<AnswerPlan[]>([]), weight: 1 },
      { arbitrary: fc.array(anyAnswer, { maxLength: inputs > 0 ? 4 : 3 }), weight: 2 },
      // What the SDK does not get round by sending the request again.
      { arbitrary: anyAnswer.map((each) => Array<AnswerPlan>(inputs > 0 ? 4 : 3).fill(each)), weight: 1 }
    )
  });
}

export const anyTrial: fc.Arbitrary<Trial> = fc.constantFrom(...nodeTypes).chain(trialOf);

/** What became of one message. */
export interface Result {
  type: string;
  /** `sent`, or the error's name. */
  outcome: string;
  /** Whether it came as far as the service. */
  reached: boolean;
}

/** Errors of what never left. */
const local = new Set(['MissingValue', 'InvalidValue', 'AccountMissing']);
const bare = /^(|Error|\w*(Type|Range|Reference|Syntax|Eval|URI|Aggregate|Assertion|Clone|Abort)Error)$/;
/** What JavaScript says where something was not looked at before it was used. */
const workings =
  /\b(?:Type|Range|Reference|Syntax)Error\b|is not (?:a function|iterable)|Cannot read propert|\[object /;

/** What clears a console, begins another entry of a log or turns the direction of a text. */
const unshowable = /[\p{Cc}\p{Bidi_Control}]/u;

/** Fields may wait for what never comes. */
const neverComes = new Set(['promise', 'thenable']);
/** Whether a message of a trial waits for something that never comes: it ends with its node at the latest. */
function neverEnds({ messages, answers, settings }: Trial, index: number): boolean {
  // Where messages keep their order, those before it count as well.
  const from = Object.values(settings).includes('queues') ? 0 : index;
  const waitsFor = messages.slice(from, index + 1).flatMap((message) => Object.values(message));
  return (
    answers.some(({ kind }) => kind === 'hang') ||
    waitsFor.some((value) => 'named' in value && neverComes.has(value.named))
  );
}

/** Whether its messages are kept on disk: they end when they are there, and go on later. */
const isKept = ({ type, settings: { keep, invocationType } }: Trial): boolean =>
  String(keep) === 'true' && (type !== 'aws-lambda-invoke' || invocationType === 'Event');
/** Whether nothing holds what is kept once its answers are used up. */
const goesOut = (trial: Trial): boolean =>
  isKept(trial) && Object.keys(trial.account).length === 0 && !hasOpenEnd(trial);

const hasOpenEnd = (trial: Trial): boolean =>
  neverEnds(trial, 0) || trial.messages.some((_, index) => neverEnds(trial, index));

/** Nodes whose messages go on with the payload that they came with. */
const keepPayload = new Set(['aws-sqs-settle', 'aws-lambda-callback']);

/** The same trial as a Function node makes its message, and answered by a gateway that packs: it must come to the same. */
const twinOf = (trial: Trial): Trial => ({
  ...trial,
  realm: 'other',
  answers: Array<AnswerPlan>(8).fill({ kind: 'packed', delay: 0, odd: null, at: 0 })
});
/** Whether what becomes of a trial depends on nothing but itself. */
const hasTwin = (trial: Trial): boolean => {
  const { type, messages, answers, realm } = trial;
  // What is kept gets an ID of its own.
  return (
    type !== 'aws-sqs-receive' && !isKept(trial) && messages.length === 1 && answers.length === 0 && realm === 'own'
  );
};

/** Whether each request, of up to three for each message, is answered by somebody else; a function may give any JSON. */
const isAnsweredByStrangers = ({ type, answers, messages }: Trial): boolean =>
  type !== 'aws-lambda-invoke' &&
  !asksNothing.includes(type) &&
  answers.length >= 3 * Math.max(1, messages.length) &&
  answers.every(({ kind }) => kind === 'stranger');

/** Seconds until a message must have ended, or another one of those beside it: the SDK's attempts and their pauses take some. */
const limit = 45;

interface Running {
  trial: Trial;
  id: string;
  /** Which one of the trial's messages it is. */
  index: number;
  outcome: Outcome;
  payload: unknown;
  aws: unknown;
}

/** Runs trials in a Node-RED against a service that answers anything. */
class Generated {
  readonly #unhandled: unknown[] = [];
  readonly #note = (reason: unknown) => this.#unhandled.push(reason);
  /** What is kept is tried again after minutes, which pass within moments. */
  readonly #leaps = startLeaps();
  readonly #leaping = setInterval(() => this.#leaps.leap(60_000), 50);
  #batch = 0;

  private constructor(
    private readonly red: NodeRed,
    private readonly service: AnyService
  ) {
    process.on('unhandledRejection', this.#note);
  }

  static async start(red: NodeRed): Promise<Generated> {
    return new Generated(red, await AnyService.start());
  }

  async stop(): Promise<void> {
    process.off('unhandledRejection', this.#note);
    await this.red.deploy([]);
    clearInterval(this.#leaping);
    this.#leaps.end();
    await this.service.stop();
  }

  /**
   * Runs trials side by side; `redeploy`: a deployment comes while they are under way. Gives what became of each message, and
   * what must not be, by the index of the trial; -1 for what belongs to none.
   */
  async run(
    given: Trial[],
    redeploy: boolean
  ): Promise<{ results: Result[]; faults: { index: number; text: string }[] }> {
    const paired = redeploy ? [] : given.filter((trial) => hasTwin(trial) && !neverEnds(trial, 0));
    const trials = [...given, ...paired.map(twinOf)];
    this.red.clearLogs();
    this.red.takeViolations();
    this.#batch += 1;
    const ids = trials.map((_, index) => `t${this.#batch}-${index}`);
    const flow = trials.flatMap((trial, index) => this.#nodesOf(trial, ids[index] as string));
    const credentials = Object.fromEntries(
      ids.map((id) => [`account-${id}`, { accessKeyId: 'AKIATRIAL', secretAccessKey: secrets.account }])
    );
    await this.red.deploy([...flow, sink('out')], { credentials });
    const running = await Promise.all(trials.map((trial, index) => this.#begin(trial, ids[index] as string)));
    const all = running.flat();
    if (redeploy)
      await this.red.deploy([...flow.map((node) => ({ ...node, name: 'again' })), sink('out')], { credentials });
    const faults: { index: number; text: string }[] = [];
    const ending = all.filter(({ trial, index }) => !neverEnds(trial, index));
    // Each is looked at each time: a deployment forgets what receivers have sent before it.
    const late = () => ending.filter(({ outcome }) => outcome.done === 0);
    try {
      // On a busy machine all take long, but they go on ending.
      for (let left = late().length; left > 0; left = late().length)
        await this.red.until(() => late().length < left, 'another message to end', limit * 1000);
    } catch (error) {
      const text = `takes more than ${limit} s: ${error instanceof Error ? error.message : error}`;
      for (const { trial } of late()) faults.push({ index: trials.indexOf(trial), text });
    }
    // A deployment forgets what was sent.
    const kept = redeploy ? [] : all.filter((each) => goesOut(each.trial) && each.outcome.done === 1);
    for (const trial of await this.#stay(kept))
      faults.push({
        index: trials.indexOf(trial),
        text: 'was kept without an error, and neither went on nor was refused'
      });
    await this.red.deploy([]);
    setClock(0);
    const results = all.flatMap((each) => {
      const index = trials.indexOf(each.trial);
      for (const text of faultsOf(each)) faults.push({ index, text });
      const { trial, outcome } = each;
      for (const text of this.service.faults(each.id)) faults.push({ index, text });
      const refused = trial.seal && !keepPayload.has(trial.type) && outcome.error?.name === 'InvalidValue';
      if (refused && !trial.account.validate && this.service.requests(each.id) > 0)
        faults.push({ index, text: 'was refused only when a request had been made' });
      return this.#resultsOf(each);
    });
    for (const [number, trial] of paired.entries()) {
      const pair = [trial, trials[given.length + number]].map(
        (one) => all.find((each) => each.trial === one) as Running
      );
      const [own, other] = pair.map((each) => this.#whatBecameOf(each));
      // On a busy machine one of them, or one of its targets, comes too late.
      const isLate = /timeout|in time|within \d/i.test(`${own} ${other}`);
      if (own !== other && !isLate)
        faults.push({ index: given.indexOf(trial), text: `comes to\n${own}\nbut its twin to\n${other}` });
    }
    for (const { id, text } of this.red.takeViolations()) {
      faults.push({ index: ids.findIndex((each) => id === each || id === `receive-${each}`), text });
    }
    for (const reason of this.#unhandled.splice(0)) {
      faults.push({
        index: -1,
        text: `left a rejection without a handler: ${inspect(reason, { depth: 1 }).slice(0, 600)}`
      });
    }
    for (const { text, id = '' } of this.red.logs) {
      const index = ids.findIndex((each) => id === each || id === `account-${each}` || id === `receive-${each}`);
      if (quotes(text)) faults.push({ index, text: `logged a secret: ${text}` });
      if (text.includes(mistimed)) faults.push({ index, text: `logged a wrong clock: ${text}` });
      if (workings.test(text)) faults.push({ index, text: `logged its own workings: ${text}` });
      if (index >= 0 && unshowable.test(text.replaceAll('\n  | ', '')))
        faults.push({ index, text: `logged control characters: ${JSON.stringify(text)}` });
    }
    // A request that comes after this is none of theirs: it would set the clock of whoever runs next.
    this.service.forget();
    // A twin is made from the trial that it belongs to.
    const trialOf = (index: number) =>
      index < given.length ? index : given.indexOf(paired[index - given.length] as Trial);
    return { results, faults: faults.map(({ index, text }) => ({ index: trialOf(index), text })) };
  }

  /** Of messages that were kept, the trials of those that stay in the store although nothing is in their way. */
  async #stay(kept: Running[]): Promise<Trial[]> {
    const stay = () => {
      const errors = this.red.logs.filter(
        ({ level, text }) => level === 'error' && !text.startsWith('Kept messages wait')
      );
      const refused = new Set(errors.map(({ id }) => id));
      return kept.filter(({ id, outcome }) => !outcome.error && outcome.sent.length === 0 && !refused.has(id));
    };
    try {
      for (let left = stay().length; left > 0; left = stay().length)
        await this.red.until(() => stay().length < left, 'another kept message to go on', limit * 1000);
    } catch {
      // They are told.
    }
    return stay().map(({ trial }) => trial);
  }

  /** What a trial's message came to, and what the service was asked for it, as far as both are the same for its twin. */
  #whatBecameOf({ trial, id, outcome }: Running): string {
    const { error, sent } = outcome;
    const payload = keepPayload.has(trial.type) ? undefined : sent[0]?.payload;
    const all = [error?.name, error?.message, shown(payload), this.service.asked(id)];
    const text = inspect(all, { maxStringLength: 2000 }).replaceAll(id, '');
    // One was looked at a moment after the other.
    return text.replaceAll(/time: '[^']*'/g, 'time');
  }

  #nodesOf({ type, settings, account, answers, messages, ahead, operations }: Trial, id: string): FlowNode[] {
    const settling = type === 'aws-sqs-settle';
    const queue = settling ? messages.map(() => '{"order": 1}') : ['{"order": 1}', JSON.stringify(envelope)];
    const service = { queue, ahead, operations, slash: !settling && messages.length > 1 };
    return [
      {
        id: `account-${id}`,
        type: 'aws-account',
        source: 'keys',
        region: 'us-east-1',
        endpoint: this.service.trial(id, answers, service),
        validate: false,
        rekognitionRate: 0,
        ...account
      },
      { account: `account-${id}`, ...settings, id, type, wires: [['out']] },
      ...(settling
        ? [
            {
              id: `receive-${id}`,
              type: 'aws-sqs-receive',
              account: `account-${id}`,
              queue: 'orders',
              settle: 'flow',
              wires: []
            }
          ]
        : [])
    ];
  }

  async #begin(trial: Trial, id: string): Promise<Running[]> {
    if (trial.type === 'aws-sqs-receive')
      return [{ trial, id, index: 0, outcome: this.#receiving(trial, id), payload: undefined, aws: undefined }];
    const realm = realms[trial.realm] as typeof globalThis;
    const running: Running[] = [];
    for (const [index, message] of trial.messages.entries()) {
      const made = Object.entries(message).map(([name, value]) => [name, makeValue(value, realm)]);
      const plain = {
        targets: ['hello', 'hello', 17],
        numbers: ['+12065550100', '+12065550101'],
        // Each message names them in another order.
        queues: index % 2 === 0 ? fifoQueues : fifoQueues.toReversed(),
        keys
      };
      const msg: Message = Object.assign(
        makeValue({ plain }, realm) as Message,
        { _msgid: `${id}-${index}` },
        Object.fromEntries(made)
      );
      if (trial.type === 'aws-sqs-settle' && 'plain' in (message.aws ?? {})) {
        msg.aws = (await this.red.nextSent(`receive-${id}`, 4 * limit * 1000)).aws ?? {};
      }
      const sealed = trial.seal ? seals[trial.seal]?.(msg) : msg;
      const outcome = await this.red.beginWith(id, sealed ?? msg, 4 * limit * 1000);
      running.push({ trial, id, index, outcome, payload: msg.payload, aws: msg.aws });
    }
    return running;
  }

  /**
   * What becomes of a receiver. It hands its message on, whatever the service said before; where its own settings or those of
   * its account are odd, it may also say what is wrong.
   */
  #receiving({ settings, account, answers }: Trial, id: string): Outcome {
    const { red, service } = this;
    const certain = settings.queue === 'orders' && Object.keys(account).length === 0;
    // What was sent is deleted at last, unless SQS says that the time for it is over.
    const deletes = certain && settings.settle === 'sent' && answers.every(({ kind }) => kind !== 'refused');
    // A deployment forgets what was sent before it.
    let sent: Message[] = [];
    const lookAgain = () => {
      if (sent.length === 0) sent = red.sent(id);
      return sent;
    };
    // Each entry of the log is looked at once: there are very many, and this is asked whenever anything happens.
    let read = 0;
    let said = false;
    const listen = () => {
      for (const { id: by, level } of red.logs.slice(read))
        said ||= by === id && (level === 'error' || (!certain && level === 'warn'));
      read = red.logs.length;
      return said;
    };
    return {
      msg: {},
      outputs: [],
      get sent() {
        return lookAgain();
      },
      get done() {
        return (lookAgain().length > 0 && (!deletes || service.deleted(id) > 0)) || listen() ? 1 : 0;
      },
      get statuses() {
        return red.statuses(id);
      }
    };
  }

  #resultsOf({ trial: { type }, id, outcome }: Running): Result[] {
    const named = (name: string): Result => ({
      type,
      outcome: name,
      reached: !local.has(name) && this.service.requests(id) > 0
    });
    if (type !== 'aws-sqs-receive') return [named(outcome.done === 0 ? 'nothing' : (outcome.error?.name ?? 'sent'))];
    const troubles = this.red.logs.filter((entry) => entry.id === id && ['warn', 'error'].includes(entry.level));
    const names = troubles.map(({ text }) => /(?:^|again: )(\w+): /.exec(text)?.[1] ?? 'no name');
    return [...names, ...(outcome.sent.length > 0 ? ['sent'] : [])].map(named);
  }
}

const quotes = (text: string): boolean => Object.values(secrets).some((secret) => text.includes(secret));
const shown = (value: unknown): string => {
  try {
    return inspect(value, { depth: 6, maxStringLength: null, maxArrayLength: 200 });
  } catch {
    return '';
  }
};

/** What must hold for each message. */
function faultsOf({ trial, outcome, payload, aws }: Running): string[] {
  const { done, error, sent, msg, statuses } = outcome;
  const faults: string[] = [];
  const must = (holds: boolean, text: string) => {
    if (!holds) faults.push(text);
  };
  must(done === 1 || (trial.type === 'aws-sqs-receive' && neverEnds(trial, 0)), `ended ${done} times`);
  must(
    done === 0 || trial.type === 'aws-sqs-receive' || (isKept(trial) && !error) || sent.length === (error ? 0 : 1),
    `was sent ${sent.length} times, with the error ${error?.name}`
  );
  must(
    sent.length === 0 || trial.type === 'aws-sqs-receive' || isKept(trial) || !isAnsweredByStrangers(trial),
    'was sent on, although no service has answered'
  );
  must(!quotes(shown(statuses)), 'shows a secret in its status');
  // A payload that stays as it came is the flow's own.
  const made = ['aws-sqs-settle', 'aws-sqs-receive'].includes(trial.type)
    ? []
    : sent.map((each) => [keepsPayload.has(trial.type) || each.payload, asksNothing.includes(trial.type) || each.aws]);
  must(!quotes(shown(made)), 'sent a secret on');
  if (!error) return faults;
  const { name, code, message, service, operation, retryable, statusCode, requestId } = error;
  must(error instanceof Error && name === code, `has the name ${name}, but the code ${code}`);
  must(typeof name === 'string' && !bare.test(name), `is a bare ${name}: ${message}`);
  must(typeof message === 'string' && message !== '' && message.length <= 1001, `says ${message}`);
  must(!unshowable.test(`${name} ${message}`), `has control characters: ${JSON.stringify([name, message])}`);
  must(!message.includes(mistimed), `fails for the clock: ${message}`);
  must(!workings.test(message), `tells of its own workings: ${message}`);
  must(
    asksNothing.includes(trial.type) || [service, operation].every((text) => typeof text === 'string' && text !== ''),
    `${name} names no operation`
  );
  must(typeof retryable === 'boolean', `${name} does not say whether it is retryable`);
  must(statusCode !== 429 || retryable === true, `${name} is not retryable with the status 429`);
  must(
    !/^The time for this message is over/.test(message) || trial.answers.some(({ kind }) => kind === 'refused'),
    'lost its hold of a message that is hidden for a minute'
  );
  must(['undefined', 'number'].includes(typeof statusCode), `has the status ${statusCode}`);
  must(['undefined', 'string'].includes(typeof requestId), `has the request ID ${requestId}`);
  must(!quotes(`${shown(error)} ${error.stack} ${shown(error.cause)}`), `quotes a secret: ${name}`);
  must(msg.payload === payload || Number.isNaN(payload), 'failed, but not with the payload that it came with');
  must(msg.aws === aws || Number.isNaN(aws), 'failed, but not with the msg.aws that it came with');
  return faults;
}

/** What else each node has that gets a long text, in turn: each opens another way for its fields. */
const longSettings: Record<string, Record<string, unknown>[]> = {
  'aws-lambda-callback': [{}, { action: 'failure' }],
  'aws-lambda-invoke': [{}, { invocationType: 'Event', hostContext: true }],
  'aws-lambda-list': [{}, { scope: 'page' }],
  'aws-sns-publish': [
    {},
    { perProtocol: true },
    { target: 'arn:aws:sns:us-east-1:111111111111:topic.fifo', groupId: 'group' }
  ],
  'aws-sqs-send': [{}, { batch: false }, { queue: 'orders.fifo', groupId: 'group' }],
  'aws-sqs-settle': [{}, { action: 'return' }],
  'aws-rekognition-detect': [
    { annotate: 'jpeg' },
    { operation: 'faces' },
    { operation: 'identify' },
    { skipUnchanged: '1' },
    { saveFolder: 'folder', saveFolderType: 'msg', saveTimestamp: true }
  ],
  'aws-rekognition-faces': [{}, { action: 'forget' }, { action: 'compare', target: 'payload' }],
  'aws-rekognition-index-face': [{}]
};
/** What nodes read of a message beside their fields. */
const ownMembers = ['topic', 'aws', '_msgid'];

/** A place for a long text: a field of a node, or a member of its message. */
interface Place {
  node: FlowNode;
  /** In words. */
  what: string;
  member: string;
}

/** The nodes with an input. */
const withInput = nodeTypes.filter((type) => contract[type]?.inputs !== 0);

const places: Place[] = withInput.flatMap((type) =>
  (longSettings[type] ?? [{}]).flatMap((settings, index) => {
    const saved = {
      account: 'account',
      ...savedFields(working[type]?.fields ?? {}),
      ...settings,
      type,
      wires: [['out']]
    };
    const place = (what: string, member: string, more: object = {}): Place => ({
      node: { ...saved, ...more, id: `${type} ${index} ${what}` },
      what: `${what} of ${type} ${JSON.stringify(settings)}`,
      member
    });
    return [
      ...(contract[type]?.typed ?? []).flatMap((field) =>
        ['msg', 'jsonata'].map((kind) => place(`${field} by ${kind}`, 'x', { [field]: 'x', [`${field}Type`]: kind }))
      ),
      ...(contract[type]?.typed.includes('region')
        ? [place('reason that an expression gives', 'x', { region: '$error(x)', regionType: 'jsonata' })]
        : []),
      ...ownMembers.map((member) => place(`msg.${member}`, member))
    ];
  })
);

/** CPU time of this thread so far, ms; that of the process where Node.js does not tell. */
function cpuTime(): number {
  const { user, system } = (process.threadCpuUsage ?? process.cpuUsage)();
  return (user + system) / 1000;
}
/** What a long text may take of the processor, ms, from the message's arrival to its end. */
const mostCpu = 100;
/**
 * What the SDK may take beside, ms, for a request or an answer: for SNS it writes a megabyte of brackets as `%29`, one by one,
 * in 110 ms, and a megabyte that is escaped in JSON has six.
 */
const mostSdkCpu = 150;
/** A text that took longer is tried again: the one that came before it may have left work behind. */
const mostTries = 5;

/** A message of a queue that a topic sent. */
const inEnvelope = (members: Record<string, unknown>) => ({ Body: JSON.stringify({ ...envelope, ...members }) });

/** What a message of a queue may hold of a stranger. */
const received: Record<string, (text: string) => Record<string, unknown>> = {
  body: (Body) => ({ Body }),
  'body, as JSON': (text) => ({ Body: JSON.stringify({ [text]: text }) }),
  'list of an attribute': (text) => ({ MessageAttributes: { a: { DataType: 'String.Array', StringValue: text } } }),
  'text of an attribute': (text) => ({ MessageAttributes: { a: { DataType: 'String', StringValue: text } } }),
  'number of an attribute': (text) => ({ MessageAttributes: { a: { DataType: 'Number', StringValue: text } } }),
  'bytes of an attribute': (text) => ({
    MessageAttributes: { a: { DataType: 'Binary', BinaryValue: Buffer.from(text).toString('base64') } }
  }),
  'type of an attribute': (text) => ({ MessageAttributes: { a: { DataType: text, StringValue: 'x' } } }),
  'name of an attribute': (text) => ({ MessageAttributes: { [text]: { DataType: 'String', StringValue: 'x' } } }),
  group: (MessageGroupId) => ({ Attributes: { MessageGroupId } }),
  time: (SentTimestamp) => ({ Attributes: { SentTimestamp } }),
  trace: (AWSTraceHeader) => ({ Attributes: { AWSTraceHeader } }),
  'message of a topic': (Message) => inEnvelope({ Message }),
  'topic of a message': (text) => inEnvelope({ TopicArn: `arn:aws:sns:us-east-1:111111111111:${text}` }),
  'time of a topic’s message': (Timestamp) => inEnvelope({ Timestamp }),
  'list of a topic’s message': (Value) => inEnvelope({ MessageAttributes: { a: { Type: 'String.Array', Value } } }),
  'bytes of a topic’s message': (Value) => inEnvelope({ MessageAttributes: { a: { Type: 'Binary', Value } } }),
  'name of an attribute of a topic’s message': (text) =>
    inEnvelope({ MessageAttributes: { [text]: { Type: 'String', Value: 'x' } } }),
  'type of an attribute of a topic’s message': (Type) => inEnvelope({ MessageAttributes: { a: { Type, Value: 'x' } } })
};
const receivedMembers = Object.keys(received);
const bodyFormats = ['auto', 'string', 'buffer'];

/** Gives each field of each node so many long texts, one after the other; rejects with all that was found. */
export async function meetLongTexts(red: NodeRed, { each, seed }: { each: number; seed: number }): Promise<number> {
  const service = await AnyService.start();
  const account = { id: 'account', type: 'aws-account', source: 'keys', region: 'us-east-1', validate: false };
  const receiver = { id: 'receive', type: 'aws-sqs-receive', account: 'account', queue: 'orders', wires: [['out']] };
  const credentials = { account: { accessKeyId: 'AKIATRIAL', secretAccessKey: secrets.account } };
  const texts = fc.sample(long, { seed, numRuns: each * places.length });
  const faults: string[] = [];
  try {
    // A deployment forgets what was sent.
    for (let next = 0; next < texts.length; next += 50) {
      const some = texts.slice(next, next + 50).map((text, index) => ({
        text,
        place: places[(next + index) % places.length] as Place
      }));
      const bodyFormat = bodyFormats[(next / 50) % bodyFormats.length];
      await red.deploy(
        [
          { ...account, endpoint: service.trial('long', []), rekognitionRate: 0 },
          { ...receiver, bodyFormat, unwrap: true },
          ...some.map(({ place }) => place.node),
          sink('out')
        ],
        { credentials }
      );
      for (const [index, { text, place }] of some.entries()) {
        faults.push(...(await meetLongText(red, service, place, text)));
        const member = receivedMembers[(next + index) % receivedMembers.length] as string;
        if (index < 20) faults.push(...(await receiveLongText(red, service, member, text.long)));
      }
    }
  } finally {
    await red.deploy([]);
    await service.stop();
  }
  if (faults.length > 0) throw new Error(`long texts (seed ${seed}):\n${faults.slice(0, 20).join('\n')}`);
  return texts.length;
}

/** Hands a receiver a message that holds a text, and gives what must not be of it. */
async function receiveLongText(red: NodeRed, service: AnyService, member: string, text: LongText): Promise<string[]> {
  const what = `the ${member} of a message that is received, with ${JSON.stringify(text)},`;
  const ended = () =>
    red.sent('receive').length + red.logs.filter(({ id, level }) => id === 'receive' && level === 'error').length;
  let over = Infinity;
  for (let tries = 0; tries < mostTries && over > 0; tries += 1) {
    await red.until(() => service.isAsked('long'), 'the receiver to ask for messages', limit * 1000);
    const before = ended();
    const answer = messagesIn({
      MessageId: `m${before}`,
      ReceiptHandle: 'r',
      Body: 'x',
      ...received[member]?.(writeLongText(text))
    });
    const began = cpuTime();
    service.hand('long', answer);
    await red.until(() => ended() > before, `${what} to be sent on`, limit * 1000);
    over = Math.min(over, cpuTime() - began - mostCpu - mostSdkCpu);
  }
  red.clearLogs();
  return over > 0 ? [`${what} takes ${over.toFixed()} ms of CPU more than it may`] : [];
}

/** Gives what must not be of a text in its place. */
async function meetLongText(
  red: NodeRed,
  service: AnyService,
  { node, what, member }: Place,
  text: Value
): Promise<string[]> {
  const { id, type } = node;
  const trial: Trial = { type, settings: {}, account: {}, messages: [], answers: [], ahead: 0, realm: 'own' };
  const faults: string[] = [];
  // How much longer it took than it may, ms.
  let over = Infinity;
  for (let tries = 0; tries < mostTries && over > 0; tries += 1) {
    const requests = service.requests('long');
    const payload = makeValue({ named: working[type]?.payload[0] ?? 'undefined' });
    const message: Message = { _msgid: id, payload, topic: 'Ada', folder: red.userDir, [member]: makeValue(text) };
    const { aws } = message;
    const began = cpuTime();
    const outcome = await red.beginWith(id, message, limit * 1000);
    await red.until(() => outcome.done > 0, `the ${what} to end with ${JSON.stringify(text)}`, limit * 1000);
    const most = mostCpu + (service.requests('long') > requests ? mostSdkCpu : 0);
    over = Math.min(over, cpuTime() - began - most);
    faults.push(...faultsOf({ trial, id, index: 0, outcome, payload, aws }));
  }
  red.clearLogs();
  if (over > 0) faults.push(`takes ${over.toFixed()} ms of CPU more than it may`);
  return faults.map((fault) => `the ${what}, with ${JSON.stringify(text)}, ${fault}`);
}

/** The table of node × outcome, as lines. */
export function tableOf(results: Result[]): string[] {
  const counts = new Map<string, number>();
  for (const { type, outcome } of results) {
    const key = `${type.padEnd(28)}${/^\w{3,60}$/.test(outcome) && !/^(x+|_.*)$/.test(outcome) ? outcome : 'an odd name'}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort().map(([key, count]) => `${String(count).padStart(8)}  ${key}`);
}

/**
 * Runs generated trials until so many messages have gone through. Rejects at the first fault, with the smallest trial that
 * shows it; `say` is told how it goes.
 */
export async function generate(
  red: NodeRed,
  { messages, seed, say = () => undefined }: { messages: number; seed: number; say?: (line: string) => void }
): Promise<Result[]> {
  const generated = await Generated.start(red);
  const results: Result[] = [];
  const alone = (kind: fc.Arbitrary<Trial>) =>
    fc.asyncProperty(kind, async (trial) => {
      const { faults } = await generated.run([trial], false);
      if (faults.length > 0) throw new Error(faults.map(({ text }) => text).join('\n'));
    });
  try {
    for (let batch = 0; results.length < messages; batch += 1) {
      const batchSeed = seed + batch;
      const redeploy = batch % 3 === 1;
      // To end with their nodes takes as long as these wait for what is under way: not each batch has such trials.
      const kind = batch % 3 === 0 ? anyTrial.filter((trial) => !hasOpenEnd(trial)) : anyTrial;
      const trials = fc.sample(kind, { seed: batchSeed, numRuns: Math.min(1050, messages) });
      const found = await generated.run(trials, redeploy);
      results.push(...found.results);
      const [fault] = found.faults;
      if (fault) {
        say(`found: ${fault.text}`);
        throw await smallest(alone(kind), trials, fault, batchSeed, results.length);
      }
      if (batch % 10 === 9) say(`${results.length} messages`);
    }
  } finally {
    await generated.stop();
  }
  return results;
}

async function smallest(
  alone: fc.IAsyncProperty<[Trial]>,
  trials: Trial[],
  { index, text }: { index: number; text: string },
  seed: number,
  messages: number
): Promise<Error> {
  // A rejection that nobody handles says nothing of whose it was.
  const candidates = index >= 0 ? [index] : trials.keys();
  for (const candidate of candidates) {
    const path = String(candidate);
    const found = await fc.check(alone, { seed, path, numRuns: 1, interruptAfterTimeLimit: 20_000 });
    if (found.failed && found.counterexample) {
      const [trial] = found.counterexample;
      const why = found.errorInstance instanceof Error ? found.errorInstance.message : text;
      return new Error(
        `after ${messages} messages (seed ${seed}, path ${path}): ${why}\n${JSON.stringify(trial, null, 1)}`
      );
    }
  }
  const trial = trials[index];
  return new Error(
    `after ${messages} messages, only in company (seed ${seed}): ${text}\n${JSON.stringify(trial, null, 1)}`
  );
}
