/**
 * A transform gives what JSONata says. The library itself is asked: the same expression, of the same message, through the
 * node and through the package `jsonata`, compared as the JSON that a function receives.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import jsonata from 'jsonata';
import { deployNodes, invokeNode, useBench } from '../aws';
import { type Message, sink } from '../node-red';

/** Of this run: another one each time, unless `NIMBUS_SEED` gives it. */
const seed = Number(process.env.NIMBUS_SEED ?? Date.now() % 2 ** 31);

const messages: Message[] = [
  {
    topic: 'porch',
    payload: {
      orders: [
        { item: 'cup', price: 4.5, quantity: 2, tags: ['blue', 'small'] },
        { item: 'plate', price: 7, quantity: 1, tags: [] },
        { item: 'jug', price: 12.25, quantity: 3 }
      ],
      count: 3,
      text: 'Grüße, 世界 "quoted"\n',
      nothing: null,
      on: true,
      nested: { a: [1, 2, [3, 4]], 'odd name': { deep: -0.5 } }
    }
  },
  { topic: '', payload: { orders: { item: 'one alone', price: 1, quantity: 1 }, count: 0, text: '', on: false } },
  { topic: 'a/b', payload: [1, 'two', null, { count: 4 }] },
  { payload: 'only text' },
  {}
];

/** Each is the value of a member, so that what there is not leaves the member out, on both sides. */
const picked = [
  'payload',
  'topic',
  'payload.orders.item',
  'payload.orders[0].item',
  'payload.orders[-1]',
  'payload.orders[price > 5].item',
  'payload.orders[price > 500].item',
  'payload.orders.(price * quantity)',
  '$sum(payload.orders.(price * quantity))',
  '$average(payload.orders.price)',
  'payload.orders^(>price).item',
  'payload.orders{item: $sum(quantity)}',
  'payload.orders.tags',
  '[payload.orders.tags]',
  'payload.nested.a',
  'payload.nested.`odd name`.deep',
  'payload.nothing',
  'payload.missing',
  'payload.missing.too[0]',
  '$exists(payload.nothing)',
  '$string(payload)',
  '$count(payload.orders)',
  'payload.text & "!"',
  '$uppercase(payload.text)',
  '$length(payload.text)',
  '$split(topic, "/")',
  '$replace(topic, /o(.)/, "0$1")',
  '$match(topic, /(.)r/)',
  'payload.on ? "yes" : "no"',
  'payload.count > 2 and payload.on',
  'payload.count in [3, 4]',
  '[1..payload.count]',
  '$map([1..3], function($n) { $n * $n })',
  '$filter(payload.orders, function($each) { $each.quantity > 1 })',
  '$reduce([1..5], function($all, $n) { $all + $n })',
  '$merge([{"a": 1}, {"b": payload.count}])',
  '$keys(payload)',
  '$each(payload.nested, function($value, $name) { $name })',
  '$sort(payload.orders.price)',
  '$formatNumber(1234.5678, "#,##0.00")',
  '$fromMillis(0)',
  '$toMillis("2026-11-30T00:00:00.000Z")',
  '$base64encode(topic)',
  '($x := payload.count; $y := $x * 2; {"x": $x, "y": [$y]})',
  'payload ~> |orders|{"seen": true}, "tags"|',
  'payload.orders.item ~> $join(", ") ~> $uppercase',
  '$number("0x10")',
  '0.1 + 0.2',
  '1e21',
  '-0',
  '"\\u0000\\ud83d\\ude00"',
  '{"a": null, "b": [], "c": {}}',
  // What JSONata refuses.
  'payload.text - 1',
  '1 + "a"',
  '$number("no number")',
  '$error("said the flow")',
  '$assert(false, "said the flow")',
  '$split(1, 2)',
  '$nothingOfThatName()'
];

/** Expressions of the usual kinds, each in each other's place. */
const { expression } = fc.letrec<{ expression: string; path: string; leaf: string }>((tie) => ({
  path: fc
    .tuple(
      fc.constantFrom('payload', 'topic', 'payload.orders', 'payload.nested'),
      fc.array(
        fc.constantFrom(
          '.item',
          '.price',
          '.quantity',
          '.count',
          '.a',
          '[0]',
          '[-1]',
          '[price > 4]',
          '[]',
          '.text',
          '^(price)'
        ),
        { maxLength: 3 }
      )
    )
    .map(([from, steps]) => from + steps.join('')),
  leaf: fc.oneof(
    tie('path'),
    fc.integer({ min: -1000, max: 1000 }).map(String),
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((number) => number.toFixed(3)),
    fc
      .string({ maxLength: 8 })
      // With that word in it, Node-RED takes an expression for one of its first versions.
      .filter((text) => !text.includes('msg'))
      .map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'false', 'null')
  ),
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('+', '-', '*', '&', '=', '!=', '<', '>=', 'and', 'or', 'in'),
        tie('expression')
      )
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([condition, yes, no]) => `(${condition} ? ${yes} : ${no})`),
    fc
      .tuple(
        fc.constantFrom(
          'string',
          'count',
          'sum',
          'exists',
          'boolean',
          'not',
          'type',
          'reverse',
          'distinct',
          'keys',
          'max',
          'uppercase'
        ),
        tie('expression')
      )
      .map(([name, given]) => `$${name}(${given})`),
    fc.array(tie('expression'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .array(tie('expression'), { maxLength: 3 })
      .map((items) => `{${items.map((item, n) => `"m${n}": ${item}`).join(', ')}}`)
  )
}));

describe('a transform', () => {
  const bench = useBench();

  /** What JSONata makes of a message, as the JSON that is sent; nothing where it refuses. */
  async function wanted(source: string, message: Message): Promise<string | undefined> {
    try {
      return JSON.stringify(await jsonata(source).evaluate(message));
    } catch {
      return undefined;
    }
  }

  /** What the function has received, as it says. */
  const received = (message: Message | undefined): unknown =>
    (message?.payload as { event?: unknown } | undefined)?.event;

  /** Gives every message to every expression, each of which has a node. */
  async function compare(expressions: readonly string[], given: readonly Message[]): Promise<void> {
    const sources = expressions.map((each) => `{"value": ${each}}`);
    const node = (source: string, index: number) =>
      invokeNode({ id: `node-${index}`, functionName: 'echo', payload: source, payloadType: 'jsonata' });
    await deployNodes(bench, [...sources.map(node), sink('out')]);
    for (const [index, source] of sources.entries()) {
      for (const message of given) {
        const json = await wanted(source, message);
        const { error, sent, done } = await bench.red.send(`node-${index}`, structuredClone(message));
        const what = `${source} of ${JSON.stringify(message)}`;
        assert.equal(done, 1, what);
        if (json === undefined) assert.deepEqual([error?.name, sent], ['InvalidValue', []], what);
        else assert.deepEqual([error, received(sent[0])], [undefined, JSON.parse(json)], what);
      }
    }
  }

  for (const expression of picked) {
    it(`gives what JSONata says: ${expression}`, () => compare([expression], messages));
  }

  it(`gives what JSONata says, of generated expressions and messages (NIMBUS_SEED=${seed})`, async () => {
    const values = fc.jsonValue({ maxDepth: 2 });
    const orders = fc.array(fc.record({ item: fc.string(), price: fc.integer(), quantity: values }), { maxLength: 4 });
    const message = fc.record({
      topic: values,
      payload: fc.oneof(values, fc.record({ orders, count: values, text: fc.string() }))
    });
    const sampled = fc.sample(message, { numRuns: 3, seed });
    await compare(fc.sample(expression, { numRuns: 100, seed }), [
      ...messages.slice(0, 2),
      // As they come out of JSON: objects like any others.
      ...(JSON.parse(JSON.stringify(sampled)) as Message[])
    ]);
  });
});
