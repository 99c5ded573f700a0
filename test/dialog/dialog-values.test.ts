import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import * as fc from 'fast-check';
import type { Node, NodeAPI } from 'node-red';
import type { Field, Fields } from '../../nodes/fields/fields';
import type { NodeFile } from '../../nodes/fields/node-module';
import { type Config, checkValue, compileField } from '../../nodes/fields/read';
import { placeOf, types } from '../../scripts/nodes.mjs';
import { account, credentials, useBench } from '../aws';
import { type FlowNode, sink } from '../node-red';

const root = join(__dirname, '..', '..');

type Validator = (this: object, value: unknown, options: object) => true | string;
interface Editing {
  defaults: Record<string, { validate?: Validator }>;
  credentials?: Record<string, { validate: Validator }>;
}

/** The program in a page. */
function scriptIn(page: string): string {
  const html = readFileSync(join(root, 'dist', `${page}.html`), 'utf8');
  return /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
}

/** What a page registers in the editor, after that of the plugin. There is nothing of Node.js in a browser. */
function registered(set: string): Editing {
  let found: Editing | undefined;
  const RED = {
    _: (key: string) => key,
    comms: { subscribe: () => undefined },
    hooks: { add: () => undefined, remove: () => undefined },
    nodes: {
      registerType: (_: string, definition: Editing) => (found = definition),
      eachNode: () => undefined,
      eachConfig: () => undefined
    },
    // As if its tab were there already.
    sidebar: { containsTab: () => true },
    utils: { validateTypedProperty: () => true }
  };
  const $ = () => ({ length: 0 });
  const context = createContext({ RED, $, TextEncoder, URL });
  for (const page of ['nimbus', set]) runInContext(scriptIn(page), context);
  return found ?? assert.fail(set);
}

const fieldsOf = (set: string): Fields =>
  (require(join(root, 'dist', 'nodes', `${placeOf(set)}.js`)) as NodeFile).node.definition.fields;

const { util } = require('@node-red/util') as { util: NodeAPI['util'] };
const RED = { util, nodes: { eachNode: () => undefined } } as unknown as NodeAPI;

/** What is wrong with a property by the runtime; empty where nothing is. */
async function wrongAtRuntime(fields: Fields, name: string, config: Record<string, unknown>): Promise<string> {
  try {
    const node = { id: 'node', type: 'x', _flow: { getSetting: () => undefined } } as unknown as Node;
    const inputs: Record<string, unknown> = {};
    await compileField(RED, node, config as Config, name, fields)({ _msgid: '1' }, inputs);
    const { [name]: field } = fields;
    field?.beside?.(inputs[name], {});
    // Each target is looked at when it has its turn.
    if (field?.many && Array.isArray(inputs[name])) for (const each of inputs[name]) checkValue(name, field, each);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** What every node has in the editor. */
const editing = (type: string) => ({ id: 'node', type, _def: { _: (key: string) => key } });

/** Whether its form shows a field: the runtime does not look at others. */
const isShown = ({ when = {} }: Field, config: Record<string, unknown>) =>
  [when]
    .flat()
    .some((condition) =>
      Object.entries(condition).every(([name, values]) =>
        values === 'filled' ? config[name] !== '' : values.includes(String(config[name]))
      )
    );

/** A configuration of a node in which a field counts. */
function configWith(fields: Fields, name: string): Record<string, unknown> {
  const config: Record<string, unknown> = Object.fromEntries(
    Object.entries(fields).map(([key, { value }]) => [key, value])
  );
  const [condition = {}] = [fields[name]?.when ?? {}].flat();
  for (const [other, values] of Object.entries(condition)) {
    config[other] = values === 'filled' ? 'filled' : values[0];
    if (fields[other]?.types) config[`${other}Type`] = 'str';
  }
  return config;
}

const typical = [
  '[]',
  '[1]',
  '{}',
  '{"a":1}',
  '{"left":2}',
  '{"left":0,"top":0,"width":1,"height":1}',
  '{"a":{"DataType":"Binary","BinaryValue":"YQ=="}}',
  '{"a":{"DataType":"Binary","BinaryValue":""}}',
  '{"S3Object":{"Bucket":"b","Name":"n"}}',
  '{"S3Object":{"Bucket":"bucket","Name":"n"}}',
  '{"default":1}',
  '{"default":"hello"}',
  '""',
  '"\\u0001"',
  '{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","secretAccessKey":"secret"}',
  '["hello",1]',
  '["hello","no such/function"]',
  '["person",{"name":"car","confidence":101}]',
  '"AGE_RANGE"',
  JSON.stringify(Object.fromEntries([...'abcdefghijk'].map((each) => [each, each]))),
  'null',
  'true',
  '{',
  '-1',
  '0',
  '1',
  '17',
  '0.5',
  '1e3',
  '0x10',
  ' 5 ',
  'Infinity',
  'NaN',
  '',
  ' ',
  'hello',
  'hello:live',
  'two words',
  'eu-west-1',
  'EU-WEST-1',
  'a,b',
  'SMILE, BEARD',
  'orders.fifo',
  'Zoë',
  '\ud800',
  'x'.repeat(300),
  '+12065550100',
  'http://256.1.1.1',
  'http://localhost:4566',
  's3://bucket/key',
  's3://bucket',
  'http://camera/snapshot.jpg',
  'data:image/jpeg,x',
  'arn:aws:iam::123456789012:role/name',
  'arn:aws:sns:eu-west-1:123456789012:alerts',
  'arn:aws:lambda:eu-west-1:123456789012:function:orders'
];
const value = fc.oneof(
  fc.constantFrom(...typical),
  fc.jsonValue({ maxDepth: 2 }).map((given) => JSON.stringify(given)),
  fc.string({ maxLength: 12 })
);

describe('a literal in a dialog', () => {
  for (const set of types) {
    const fields = fieldsOf(set);
    const { defaults, credentials } = registered(set);
    for (const [name, field] of Object.entries(fields)) {
      // A box holds what it shows.
      if (field.control === 'flag') continue;
      const validate = defaults[name]?.validate ?? credentials?.[name]?.validate ?? assert.fail(name);
      // What a flow has may be of a type that no dialog offers, such as credentials that stand in it.
      const types = field.types ? (['str', 'num', 'bool', 'json'] as const) : [undefined];

      it(`is valid where the runtime takes it: ${name} of ${set}`, async () => {
        const generated = fc.asyncProperty(fc.constantFrom(...types), value, async (type, text) => {
          fc.pre(!text.includes('${'));
          const config = { ...configWith(fields, name), [name]: text, ...(type && { [`${name}Type`]: type }) };
          assert.ok(isShown(field, config), name);
          const node = { ...config, ...editing(set) };
          // As the runtime does with what is pasted.
          const read = field.stored ? { ...config, [name]: text.trim() } : config;
          const wrong = await wrongAtRuntime(fields, name, read);
          const answer = validate.call(node, text, {});
          assert.equal(answer === true, wrong === '', `${JSON.stringify(text)} as ${type}: ${wrong || answer}`);
        });
        const examples = types.flatMap((type) => typical.map((text): [typeof type, string] => [type, text]));
        await fc.assert(generated, { numRuns: examples.length + 100, examples, endOnFailure: true });
      });
    }
  }

  it('is the same as its text or as its value, and of a type that the runtime knows', async () => {
    const fields = fieldsOf('aws-rekognition-detect');
    const { defaults } = registered('aws-rekognition-detect');
    for (const [name, type, given] of [
      ['targets', 'json', ['person', { name: 'car', confidence: 90 }]],
      ['targets', 'json', [1]],
      ['roi', 'json', { left: 0, top: 0, width: 1, height: 1 }],
      ['roi', 'json', { left: 2 }],
      ['confidence', 'num', 70],
      ['confidence', 'num', 101],
      ['confidence', 're', '70'],
      ['targets', 'date', ''],
      ['targets', 'date', 'iso']
    ] as const) {
      const config = { ...configWith(fields, name), [name]: given, [`${name}Type`]: type };
      const answer = defaults[name]?.validate?.call({ ...config, ...editing('aws-rekognition-detect') }, given, {});
      const wrong = await wrongAtRuntime(fields, name, config);
      assert.equal(answer === true, wrong === '', `${JSON.stringify(given)} as ${type}: ${wrong || answer}`);
    }
  });

  it('that is a picture is no web address, and the dialog says what to do', () => {
    for (const set of ['aws-rekognition-detect', 'aws-rekognition-faces', 'aws-rekognition-index-face']) {
      const node = { ...editing(set), image: 'http://camera/snapshot.jpg', imageType: 'str', action: 'compare' };
      assert.equal(registered(set).defaults.image?.validate?.call(node, node.image, {}), 'invalid.image', set);
    }
  });

  it('goes with the targets that are literals, or is not valid', () => {
    const why = (set: string, name: string, given: Record<string, string>) => {
      const { defaults } = registered(set);
      const node = { ...editing(set), [name]: '', ...given };
      return defaults[name]?.validate?.call(node, node[name as keyof typeof node], {});
    };
    const topic = 'arn:aws:sns:us-east-1:111111111111:alerts';
    for (const [set, target, plain] of [
      ['aws-sqs-send', 'queue', 'orders'],
      ['aws-sns-publish', 'target', topic]
    ] as const) {
      const to = (value: string, type = 'str') => ({ [target]: value, [`${target}Type`]: type });
      const own = (name: string, value: string, type = 'str') => ({ [name]: value, [`${name}Type`]: type });
      assert.equal(why(set, 'groupId', to(plain)), true);
      assert.equal(why(set, 'groupId', to(`${plain}.fifo`)), 'beside.groupId');
      assert.equal(why(set, 'groupId', to(JSON.stringify([plain, `${plain}.fifo`]), 'json')), 'beside.groupId');
      assert.equal(why(set, 'groupId', { ...to(`${plain}.fifo`), ...own('groupId', 'a') }), true);
      assert.equal(why(set, 'groupId', { ...to(`${plain}.fifo`), ...own('groupId', 'topic', 'msg') }), true);
      assert.equal(why(set, 'groupId', to('payload.fifo', 'msg')), true);
      assert.equal(why(set, 'groupId', to('${QUEUE}.fifo')), true);
      assert.equal(
        why(set, 'deduplicationId', { ...to(plain), ...own('deduplicationId', 'a') }),
        'beside.deduplicationId'
      );
      assert.equal(why(set, 'deduplicationId', { ...to(`${plain}.fifo`), ...own('deduplicationId', 'a') }), true);
    }
    const stored = { image: 's3://bucket/key', imageType: 'str' };
    for (const needs of [
      { annotate: 'png' },
      { operation: 'identify' },
      { saveFolder: 'pictures', saveFolderType: 'str' },
      { skipUnchanged: '5', skipUnchangedType: 'num' }
    ])
      assert.equal(why('aws-rekognition-detect', 'image', { ...stored, ...needs }), 'beside.image');
    assert.equal(
      why('aws-rekognition-detect', 'image', { ...stored, skipUnchanged: '0', skipUnchangedType: 'num' }),
      true
    );
    const forgets = (given: Record<string, string>) =>
      why('aws-rekognition-faces', 'imageId', { action: 'forget', ...given });
    assert.equal(forgets({}), 'beside.imageId');
    assert.equal(forgets({ faceIds: 'payload', faceIdsType: 'msg' }), true);
    assert.equal(forgets({ action: 'list' }), true);
    const differs = (message: string, type: string) =>
      why('aws-sns-publish', 'message', { perProtocol: 'true', message, messageType: type });
    assert.equal(differs('hello', 'str'), 'beside.message');
    assert.equal(differs('{"default":"hello"}', 'json'), true);
    assert.equal(differs('payload', 'msg'), true);
    const delay = (queue: string, value: string) =>
      why('aws-sqs-send', 'delaySeconds', { queue, queueType: 'str', delaySeconds: value, delaySecondsType: 'num' });
    assert.deepEqual([delay('orders', '5'), delay('orders.fifo', '0')], [true, true]);
    assert.equal(delay('orders.fifo', '5'), 'beside.delaySeconds');
  });
});

/** What a message is to blame for, and not the node: files that are not there, and what no dialog has. */
const elsewhere = /: ".*"…? cannot be read: |msg\.aws\.handle/;

describe('a node whose literals are valid in its dialog', () => {
  const bench = useBench();
  const seed = Number(process.env.NIMBUS_SEED ?? Date.now() % 1e9);

  for (const set of types) {
    const { definition } = (require(join(root, 'dist', 'nodes', `${placeOf(set)}.js`)) as NodeFile).node;
    const { fields, config, inputs } = definition;
    if (config || inputs === 0) continue;

    it(`finds nothing wrong with them when it runs: ${set}`, async () => {
      const { defaults } = registered(set);
      const isValid = (name: string, node: Record<string, unknown>) =>
        (defaults[name]?.validate?.call({ ...node, ...editing(set) }, node[name], {}) ?? true) === true;
      /** The values of a field, and their types, that are valid where nothing is known of other fields. */
      const valuesOf = (name: string, field: Field) => {
        if (field.control === 'flag') return [{ [name]: true }, { [name]: false }];
        const literals = field.types?.filter((type) => ['str', 'num', 'bool', 'json'].includes(type)) ?? [undefined];
        return literals
          .flatMap((type) =>
            [...typical, ...(field.options ?? [])].map((text) => ({
              [name]: text,
              ...(type && { [`${name}Type`]: type })
            }))
          )
          .filter((given) => isValid(name, { ...configWith(fields, name), ...given }));
      };
      const values = Object.entries(fields)
        .map(([name, field]) => valuesOf(name, field))
        .filter(({ length }) => length > 0);
      const settings = fc
        .tuple(...values.map((each) => fc.constantFrom(...each)))
        .map((each): Record<string, unknown> => Object.assign({}, ...each))
        .filter((node) => Object.keys(fields).every((name) => isValid(name, node)));
      const nodes = fc.sample(settings, { numRuns: 60, seed }).map(
        // Nobody waits for what the service answers.
        (given, index): FlowNode => ({ ...given, id: `node-${index}`, type: set, account: 'account', wires: [['out']] })
      );
      await bench.red.deploy([account(bench, { rekognitionRate: 0 }), ...nodes, sink('out')], {
        credentials: credentials()
      });
      for (const node of nodes) {
        const { error } = await bench.red.send(node.id, { payload: 'hello', topic: 'porch' });
        const results = (error?.results ?? []) as { error?: Error }[];
        const errors = [error, ...(Array.isArray(results) ? results.map((each) => each.error) : [])];
        const own = errors.filter((each) => /^(?:Invalid|Missing)Value$/.test(each?.name ?? ''));
        const said = own.map((each) => each?.message ?? '').filter((message) => !elsewhere.test(message));
        assert.deepEqual(said, [], `NIMBUS_SEED=${seed} ${JSON.stringify(node)}`);
      }
    });
  }
});
