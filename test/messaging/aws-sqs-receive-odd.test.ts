/** What a queue can hand out that nobody has foreseen: each message stands alone, and so does each answer. */
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { account, credentials, receiveNode, useBench } from '../aws';
import { sink } from '../node-red';
import { Relay } from '../relay';

type Entry = Record<string, unknown>;

describe('aws-sqs-receive, of a queue that holds anything,', () => {
  const bench = useBench();
  const queue = 'https://sqs.us-east-1.amazonaws.com/111111111111/odd';
  let relay: Relay;
  /** What the next requests for messages get; the queue is empty after that. */
  let answers: (() => { status?: number; body: string; headers?: Record<string, string> })[];

  beforeEach(async () => {
    relay = await Relay.start(bench.aws.url);
    answers = [];
    relay.answer = ({ headers, body }) => {
      const operation = headers['x-amz-target']?.split('.').pop();
      if (operation === 'GetQueueAttributes') return { body: '{"Attributes": {"VisibilityTimeout": "600"}}' };
      const type = { 'Content-Type': 'application/x-amz-json-1.0' };
      if (operation === 'ReceiveMessage') return { headers: type, ...(answers.shift()?.() ?? { body: '{}' }) };
      const { Entries } = JSON.parse(body) as { Entries?: { Id: string }[] };
      const Successful = Entries?.map(({ Id }) => ({ Id }));
      return { headers: type, body: JSON.stringify({ Successful }) };
    };
  });
  afterEach(async () => {
    await bench.red.deploy([]);
    await relay.stop();
  });

  const good = (index: number): Entry => ({
    MessageId: `good-${index}`,
    ReceiptHandle: `handle-${index}`,
    Body: `good ${index}`,
    MD5OfBody: 'wrong',
    Attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1' }
  });
  const all = Array.from({ length: 9 }, (_, index) => good(index));
  const bodiesOf = (entries: Entry[]) => entries.map(({ Body }) => Body);
  const payloads = (id = 'out') => bench.red.received(id).map(({ payload }) => payload);
  const errors = () => bench.red.logs.filter(({ id, level }) => id === 'receive' && level === 'error');
  const warnings = () => bench.red.logs.filter(({ id, level }) => id === 'receive' && level === 'warn');
  const settled = (operation: string) =>
    relay.exchanges
      .filter(({ headers }) => headers['x-amz-target']?.includes(operation))
      .flatMap(({ body }) => body.match(/"ReceiptHandle":"[^"]*"/g) ?? [])
      .map((text) => text.slice(17, -1));

  async function receive(properties: Record<string, unknown> = {}): Promise<void> {
    const node = receiveNode({ queue, waitTime: 0, maxInFlight: 100, ...properties });
    const flow = [account(bench, { endpoint: relay.url }), node, sink('out'), sink('two'), sink('three')];
    await bench.red.deploy(flow, { credentials: credentials() });
  }
  const give = (entries: unknown[]) =>
    answers.push(() => ({ body: typeof entries === 'string' ? entries : JSON.stringify({ Messages: entries }) }));

  const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  const odd = (members: Entry): Entry => ({ ...good(99), MessageId: 'odd', ReceiptHandle: 'odd', ...members });
  const attribute = (name: string, value: unknown) =>
    odd({ MessageAttributes: JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(value)}}`) });
  const text = (StringValue: unknown) => ({ DataType: 'String', StringValue });

  /** What cannot be sent on, and to how many wires. */
  const stuck: Record<string, { entry: unknown; wires?: number; id?: string }> = {
    'a body 20,000 levels deep, for two wires': { entry: odd({ Body: deep(20_000) }), wires: 2 },
    'a body 20,000 levels deep, for three wires': { entry: odd({ Body: deep(20_000) }), wires: 3 },
    'a list 20,000 levels deep as an attribute, for two wires': {
      entry: attribute('x', { DataType: 'String.Array', StringValue: deep(20_000) }),
      wires: 2
    },
    'an attribute called __proto__': { entry: attribute('__proto__', text('x')) },
    'an attribute without a type': { entry: attribute('x', { StringValue: 'x' }) },
    'an attribute that is text': { entry: attribute('x', 'x') },
    'an attribute that is nothing': { entry: attribute('x', null) },
    'an attribute whose value is a number': { entry: attribute('x', text(5)) },
    'an attribute whose list is a number': { entry: attribute('x', { DataType: 'String.Array', StringValue: 5 }) },
    'an attribute whose bytes are a number': { entry: attribute('x', { DataType: 'Binary', BinaryValue: 5 }) },
    'an attribute whose bytes are no base64': {
      entry: attribute('x', { DataType: 'Binary', BinaryValue: '****' })
    },
    'an attribute with a list of bytes that are none': {
      entry: attribute('x', { DataType: 'Binary', BinaryListValues: ['AQI=', '=='] })
    },
    'an attribute whose base64 breaks off': { entry: attribute('x', { DataType: 'Binary', BinaryValue: 'AQI' }) },
    'attributes that are text': { entry: odd({ MessageAttributes: 'x' }) },
    'system attributes that are text': { entry: odd({ Attributes: 'x' }) },
    'system attributes of other types': { entry: odd({ Attributes: { SentTimestamp: {} } }) },
    'a body that is a number': { entry: odd({ Body: 5 }) },
    'a body that is an object': { entry: odd({ Body: { startsWith: 1 } }) },
    'no receipt handle': { entry: odd({ ReceiptHandle: undefined }) },
    'a receipt handle that is a number': { entry: odd({ ReceiptHandle: 5 }) },
    'no ID': { entry: odd({ MessageId: undefined }), id: 'without an ID' },
    'an empty ID': { entry: odd({ MessageId: '' }), id: '' },
    nothing: { entry: null, id: 'without an ID' },
    text: { entry: 'x', id: 'without an ID' },
    'a list': { entry: [], id: 'without an ID' }
  };

  for (const [what, { entry, wires = 1, id = 'odd' }] of Object.entries(stuck)) {
    for (const settle of ['sent', 'flow']) {
      it(`reports a message with ${what}, leaves it to the queue, and sends the nine others on (${settle})`, async () => {
        give([...all.slice(0, 4), entry, ...all.slice(4)]);
        give([odd({ MessageId: 'next', Body: 'next' })]);
        const to = ['out', 'two', 'three'].slice(0, wires);
        await receive({ settle, wires: [to] });
        await bench.red.until(() => payloads(to.at(-1)).length === 10, 'ten messages');
        for (const sent of to) assert.deepEqual(payloads(sent), [...bodiesOf(all), 'next']);
        assert.equal(errors().length, 1, errors().join('\n'));
        const said = errors()[0]?.text ?? '';
        assert.ok(said.startsWith(`The message ${id} cannot be sent on: `), said);
        assert.match(said, /\. It comes again when its visibility timeout is over\.$/);
        assert.doesNotMatch(said, /Error:|is not a function|Cannot |\[object/);
        assert.deepEqual(warnings(), []);
        if (settle === 'sent') await bench.red.until(() => settled('DeleteMessage').length === 10);
        await bench.red.deploy([]);
        const handles = [...settled('DeleteMessage'), ...settled('ChangeMessageVisibility')];
        assert.equal(handles.filter((handle) => handle === 'odd').length, 1, 'only that of the next one');
      });
    }

    it(`polls on after an answer that holds only a message with ${what}`, async () => {
      give([entry]);
      give([good(1)]);
      await receive({ wires: [['out', 'two', 'three'].slice(0, wires)] });
      await bench.red.until(() => payloads().length === 1, 'the next message');
      assert.equal(errors().length + warnings().length, 1);
    });
  }

  /** What is strange, but a message. */
  const fine: Record<string, { entry: Entry; payload?: unknown; attributes?: unknown }> = {
    'a body 20,000 levels deep, for one wire': {
      entry: odd({ Body: deep(20_000) }),
      payload: JSON.parse(deep(20_000))
    },
    'no body': { entry: odd({ Body: undefined }), payload: '' },
    'a NUL in its body': { entry: odd({ Body: 'a\0b' }), payload: 'a\0b' },
    'half a character in its body': { entry: odd({ Body: '"\ud83d"' }), payload: '\ud83d' },
    'a body of a megabyte': { entry: odd({ Body: 'x'.repeat(1_048_576) }), payload: 'x'.repeat(1_048_576) },
    'an attribute called constructor': { entry: attribute('constructor', text('x')), attributes: { constructor: 'x' } },
    'an attribute called toString': { entry: attribute('toString', text('x')), attributes: { toString: 'x' } },
    'an attribute called hasOwnProperty': {
      entry: attribute('hasOwnProperty', text('x')),
      attributes: { hasOwnProperty: 'x' }
    },
    'a binary attribute': {
      entry: attribute('x', { DataType: 'Binary', BinaryValue: 'AQI=' }),
      attributes: { x: Buffer.from([1, 2]) }
    },
    'a binary attribute of 200 KB': {
      entry: attribute('x', { DataType: 'Binary', BinaryValue: Buffer.alloc(200_000, 7).toString('base64') }),
      attributes: { x: Buffer.alloc(200_000, 7) }
    }
  };

  for (const [what, { entry, payload = 'good 99', attributes = {} }] of Object.entries(fine)) {
    it(`sends a message on that has ${what}`, async () => {
      give([...all, entry]);
      await receive();
      await bench.red.until(() => payloads().length === 10, 'ten messages');
      const last = bench.red.received('out').at(-1);
      // Of deep ones a comparison would need more calls within calls than there may be.
      assert.ok(typeof payload === 'object' ? Array.isArray(last?.payload) : last?.payload === payload);
      assert.deepEqual(last?.aws?.attributes, attributes);
      for (const name of ['receiveCount', 'sentAt']) assert.ok(!Number.isNaN(last?.aws?.[name]), name);
      await bench.red.until(() => settled('DeleteMessage').length === 10);
      assert.deepEqual([...errors(), ...warnings()], []);
    });
  }

  describe('where messages of topics are unwrapped,', () => {
    const envelope = (members: Entry = {}) => ({
      Type: 'Notification',
      MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
      TopicArn: 'arn:aws:sns:us-east-1:111111111111:weather',
      Message: '{"colour": "red"}',
      Timestamp: '2026-11-30T15:00:00.000Z',
      SignatureVersion: '1',
      ...members
    });
    const of = (members: Entry) => JSON.stringify(envelope(members));
    const attributes = (text: string) => of({}).replace(/}$/, `,"MessageAttributes":${text}}`);
    const inner = envelope({ Message: 'inner', Subject: 'inner' });
    const thing = { Type: 'String', Value: 'x' };

    /** What only resembles what SNS writes. */
    const strange: Record<string, string> = {
      'that breaks off': of({}).slice(0, -1),
      'in a list': `[${of({})}]`,
      'that is text': JSON.stringify(of({})),
      'without a message': of({ Message: undefined }),
      'whose message is an object': of({ Message: { colour: 'red' } }),
      'whose message is a number': of({ Message: 5 }),
      'whose message is nothing': of({ Message: null }),
      'of another type': of({ Type: 'SubscriptionConfirmation', was: 'Notification' }),
      'whose type is a list': of({ Type: ['Notification'] }),
      'without an ID': of({ MessageId: undefined }),
      'whose topic is an object': of({ TopicArn: { startsWith: 1 } }),
      'whose topic is a queue': of({ TopicArn: 'arn:aws:sqs:us-east-1:111111111111:orders' }),
      'whose subject is a list': of({ Subject: ['x'] }),
      'whose members are those of its prototype': `{"__proto__": ${of({})}, "Type": "Notification"}`,
      'whose attributes are text': attributes('"x"'),
      'whose attributes are a list': attributes('[]'),
      'with an attribute that is text': attributes('{"x": "x"}'),
      'with an attribute that is nothing': attributes('{"x": null}'),
      'with an attribute without a type': attributes('{"x": {"Value": "x"}}'),
      'with an attribute whose value is a number': attributes('{"x": {"Type": "Number", "Value": 5}}'),
      'with an attribute whose bytes are no base64': attributes('{"x": {"Type": "Binary", "Value": "****"}}')
    };

    for (const [what, Body] of Object.entries(strange)) {
      it(`leaves an envelope ${what} as it is`, async () => {
        give([odd({ Body })]);
        await receive({ unwrap: true, bodyFormat: 'string' });
        const { payload, topic, aws } = await bench.red.next('out');
        assert.deepEqual([payload, topic, aws?.sns], [Body, undefined, undefined]);
        assert.deepEqual([...errors(), ...warnings()], []);
      });
    }

    /** What is strange, but as SNS may write it: what becomes of it. */
    const odds: Record<string, { body: string; payload?: unknown; topic?: string; sns?: Entry }> = {
      'in another envelope': { body: of({ Message: JSON.stringify(inner) }), payload: inner },
      'that says nothing': { body: of({ Message: '' }), payload: '' },
      'of a megabyte': { body: of({ Message: 'x'.repeat(1_000_000) }), payload: 'x'.repeat(1_000_000) },
      '10,000 levels deep': { body: of({ Message: deep(10_000) }), payload: JSON.parse(deep(10_000)) },
      'whose subject is empty': { body: of({ Subject: '' }), topic: '', sns: { subject: '' } },
      'whose subject is nothing': { body: of({ Subject: null }) },
      'whose time is none': { body: of({ Timestamp: 'yesterday' }), sns: { publishedAt: undefined } },
      'whose time is a number': { body: of({ Timestamp: 5 }), sns: { publishedAt: undefined } },
      'behind a byte order mark': { body: `\ufeff${of({})}` },
      'whose attributes are called as what every object has': {
        body: attributes(JSON.stringify({ constructor: thing, toString: thing, hasOwnProperty: thing })),
        sns: { attributes: { constructor: 'x', toString: 'x', hasOwnProperty: 'x' } }
      },
      'with names and values of any script': {
        body: attributes('{"größe 世界 🌍": {"Type": "String", "Value": "\\ud83d\\u0000"}}'),
        sns: { attributes: { 'größe 世界 🌍': '\ud83d\u0000' } }
      },
      'with an attribute of a type of its own': {
        body: attributes('{"x": {"Type": "Number.celsius", "Value": "21.50"}, "y": {"Type": "", "Value": ""}}'),
        sns: {
          attributes: {
            x: { DataType: 'Number.celsius', StringValue: '21.50' },
            y: { DataType: '', StringValue: '' }
          }
        }
      },
      'with bytes of a type of their own': {
        body: attributes('{"x": {"Type": "Binary.png", "Value": "AQI="}, "y": {"Type": "Binary", "Value": ""}}'),
        sns: {
          attributes: { x: { DataType: 'Binary.png', BinaryValue: Buffer.from([1, 2]) }, y: Buffer.alloc(0) }
        }
      },
      'with lists that are none': {
        body: attributes('{"x": {"Type": "String.Array", "Value": "{\\"length\\": 1}"}}'),
        sns: { attributes: { x: { DataType: 'String.Array', StringValue: '{"length": 1}' } } }
      }
    };

    for (const [what, { body, payload = { colour: 'red' }, topic, sns = {} }] of Object.entries(odds)) {
      it(`gives the message of an envelope ${what}`, async () => {
        give([odd({ Body: body })]);
        await receive({ unwrap: true });
        const msg = await bench.red.next('out');
        // Of deep ones a comparison would need more calls within calls than there may be.
        if (what.endsWith('deep')) assert.ok(Array.isArray(msg.payload));
        else assert.deepEqual(msg.payload, payload);
        assert.equal(msg.topic, topic);
        const expected = {
          topicArn: envelope().TopicArn,
          messageId: envelope().MessageId,
          publishedAt: Date.parse(envelope().Timestamp),
          attributes: {},
          ...sns
        };
        for (const name of Object.keys(expected)) {
          assert.deepEqual((msg.aws as { sns: Entry }).sns[name], expected[name as keyof typeof expected], name);
        }
        assert.deepEqual([...errors(), ...warnings()], []);
      });
    }

    it('keeps an attribute of an envelope called __proto__ from being a prototype', async () => {
      give([odd({ Body: attributes('{"__proto__": {"Type": "String", "Value": "x"}}') })]);
      await receive({ unwrap: true });
      const { aws } = await bench.red.next('out');
      const found = (aws as { sns: { attributes: object } }).sns.attributes;
      assert.equal(Object.getPrototypeOf(found), Object.prototype);
      assert.deepEqual(Object.entries(found), [['__proto__', 'x']]);
    });
  });

  it('sends bytes on that are no UTF-8 as what stands for them', async () => {
    answers.push(() => ({ body: JSON.stringify({ Messages: [odd({ Body: 'a\ufffdb' })] }) }));
    await receive();
    assert.equal((await bench.red.next('out')).payload, 'a\ufffdb');
  });

  it('sends a message on once that stands twice in an answer, and deletes it by its last receipt handle', async () => {
    give([good(1), { ...good(1), ReceiptHandle: 'newer' }, good(2)]);
    await receive();
    await bench.red.until(() => settled('DeleteMessage').length === 2);
    assert.deepEqual(
      [payloads(), settled('DeleteMessage')],
      [
        ['good 1', 'good 2'],
        ['newer', 'handle-2']
      ]
    );
  });

  it('sends to all wires or to none, however near a body is to what can just be copied', async () => {
    let count = 0;
    const entryOf = (depth: number) => {
      count += 1;
      return odd({ MessageId: `${count} deep ${depth}`, ReceiptHandle: `h${count}`, Body: deep(depth) });
    };
    const giveAll = async (depths: number[]): Promise<void> => {
      const before = payloads().length + errors().length;
      for (let at = 0; at < depths.length; at += 10) give(depths.slice(at, at + 10).map(entryOf));
      const ended = () => payloads().length + errors().length - before;
      await bench.red.until(() => ended() >= depths.length, 'all of them', 60_000);
    };
    await receive({ settle: 'flow', maxInFlight: 10_000, wires: [['out', 'two', 'three']] });
    await giveAll(Array.from({ length: 100 }, (_, index) => 1000 + index * 100));
    const shallowest = Math.min(...errors().map(({ text }) => Number(/deep (\d+)/.exec(text)?.[1])));
    await giveAll(Array.from({ length: 300 }, (_, index) => shallowest - 200 + index));
    assert.ok(errors().length > 0 && payloads().length > 0);
    // Of several answers at once the last message is not the deepest, and may just be on its way.
    const all = () => ['two', 'three'].every((id) => payloads(id).length === payloads().length);
    await bench.red.until(all, 'as many on each wire');
  });

  it('returns what came behind such a message in its FIFO group, and sends other groups on', async () => {
    const grouped = (entry: Entry, MessageGroupId: string) => ({ ...entry, Attributes: { MessageGroupId } });
    give([
      grouped(good(0), 'a'),
      grouped(attribute('__proto__', text('x')), 'a'),
      grouped(good(1), 'a'),
      grouped(good(2), 'b'),
      grouped(good(3), 'a')
    ]);
    await receive({ queue: `${queue}.fifo` });
    await bench.red.until(() => settled('ChangeMessageVisibility').length === 2);
    assert.deepEqual(payloads(), ['good 0', 'good 2']);
    assert.deepEqual(settled('ChangeMessageVisibility'), ['handle-1', 'handle-3']);
    await bench.red.until(() => settled('DeleteMessage').length === 2);
    assert.deepEqual(settled('DeleteMessage'), ['handle-0', 'handle-2']);
    assert.equal(errors().length, 1);
  });

  describe('says in its status since when it fails', () => {
    const noQueue = (): void => {
      const error = { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'none' };
      relay.answer = () => ({ status: 400, body: JSON.stringify(error) });
    };
    const last = () => String(bench.red.statuses('receive').at(-1)?.text);

    it('by the hour alone on the same day, and cuts the name of a long queue', async () => {
      noQueue();
      await receive({ queue: 'a-queue-with-quite-a-long-name' });
      await bench.red.until(() => warnings().length > 0);
      assert.match(last(), /^no queue “a-queue-with-quite-a…” since \d{1,2}:\d\d(\s[AP]M)?$/u);
    });

    it('with the day from the next one on', async () => {
      noQueue();
      const later = { now: Date.now() };
      mock.timers.enable({ apis: ['Date'], now: later.now });
      try {
        await receive({ queue: 'gone' });
        await bench.red.until(() => warnings().length > 0);
        mock.timers.setTime(later.now + 24 * 3600 * 1000);
        await bench.red.until(() => /^no queue “gone” since \d+\/\d+\/\d+, \d+:\d\d/.test(last()), 'the day');
      } finally {
        mock.timers.reset();
      }
    });
  });
});
