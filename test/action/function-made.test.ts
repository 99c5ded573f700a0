/** What a Function node can make of a message: members that cannot be set, and values of its own realm. */
import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { createCanvas } from 'canvas';
import {
  deployNodes,
  detectNode,
  facesNode,
  indexFaceNode,
  invokeNode,
  listNode,
  publishNode,
  receiveNode,
  sendNode,
  settleNode,
  useBench,
  useQueues
} from '../aws';
import type { FlowNode, Message } from '../node-red';
import { sink } from '../node-red';

describe('a message that a Function node has made', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const picture = createCanvas(96, 96).toBuffer('image/png');

  /** An action, and who takes its errors. */
  async function deploy(action: FlowNode, ...more: FlowNode[]): Promise<void> {
    const catcher = { id: 'catch', type: 'catch', scope: [action.id], wires: [['caught']] };
    await deployNodes(bench, [action, catcher, sink('out'), sink('caught'), ...more]);
  }
  /** Gives the node what a function in a realm of its own makes of the message, as it is. */
  function give(id: string, code: string, msg: Message): void {
    const made = runInNewContext(`(function (msg) { ${code} })`) as (msg: Message) => Message;
    bench.red.node(id).receive(made({ _msgid: 'made', ...msg }));
  }
  /** The error that came of the message, and that nothing else did. */
  async function refused(): Promise<{ name: string; message: string }> {
    const { error } = await bench.red.next('caught');
    const { message, code } = error as { message: string; code: string };
    assert.deepEqual(bench.red.received('out'), []);
    return { name: code, message: message.replace(/^InvalidValue: /, '') };
  }
  /** Requests beside what the test itself has asked. */
  const requests = async (operation: string) =>
    (await bench.aws.requests()).filter((request) => request.operation === operation).length;

  /** Each action, as it works with a payload. */
  const actions: Record<string, { node: () => Promise<FlowNode>; operation: string; payload?: unknown }> = {
    'aws-lambda-invoke': { node: async () => invokeNode({ payload: '1', payloadType: 'num' }), operation: 'Invoke' },
    'aws-lambda-list': { node: async () => listNode(), operation: 'ListFunctions' },
    'aws-sns-publish': {
      node: async () => publishNode({ target: '+12065550100', message: 'x', messageType: 'str' }),
      operation: 'Publish'
    },
    'aws-sqs-send': {
      node: async () => sendNode({ queue: await queues.create(), body: 'x', bodyType: 'str' }),
      operation: 'SendMessage'
    },
    'aws-rekognition-detect': {
      node: async () => detectNode({ image: 'picture' }),
      operation: 'DetectLabels'
    },
    'aws-rekognition-index-face': {
      node: async () => indexFaceNode({ image: 'picture', collection: 'family', imageId: 'Ada', imageIdType: 'str' }),
      operation: 'IndexFaces'
    },
    'aws-rekognition-faces': {
      node: async () => facesNode({ action: 'compare', image: 'picture', target: 'picture' }),
      operation: 'CompareFaces'
    }
  };
  const traps: Record<string, { code: string; name: string }> = {
    'is frozen': { code: 'return Object.freeze(msg);', name: 'payload' },
    'takes no further members': { code: 'return Object.preventExtensions(msg);', name: 'aws' },
    'has a payload that can only be read': {
      code: 'Object.defineProperty(msg, "payload", { value: msg.payload, writable: false }); return msg;',
      name: 'payload'
    },
    'has an aws that can only be read': {
      code: 'Object.defineProperty(msg, "aws", { value: {} }); return msg;',
      name: 'aws'
    },
    'has a payload whose getter throws': {
      code: 'Object.defineProperty(msg, "payload", { get() { throw new Error("no"); }, set() {} }); return msg;',
      name: 'payload'
    },
    'has an aws without a setter': {
      code: 'Object.defineProperty(msg, "aws", { get: () => ({}) }); return msg;',
      name: 'aws'
    },
    'has an aws whose setter throws': {
      code: 'Object.defineProperty(msg, "aws", { get: () => ({}), set() { throw null; } }); return msg;',
      name: 'aws'
    },
    'inherits a payload that can only be read': {
      code: 'const { payload, ...rest } = msg; return Object.assign(Object.create(Object.freeze({ payload })), rest);',
      name: 'payload'
    },
    'is a proxy that lets nothing be set': {
      code: 'return new Proxy(msg, { set: () => false });',
      name: 'payload'
    }
  };

  for (const [type, { node, operation }] of Object.entries(actions)) {
    describe(`and that ${type} could not send on`, () => {
      for (const [what, { code, name }] of Object.entries(traps)) {
        it(`since it ${what}, is refused before any request`, async () => {
          const action = await node();
          await deploy(action);
          give(action.id, code, { payload: { a: 1 }, picture });
          const said = await refused();
          assert.deepEqual(said, {
            name: 'InvalidValue',
            message: `msg.${name} cannot be set, so that there is no place for the result: nothing was sent.`
          });
          assert.equal(await requests(operation), 0);
        });
      }

      it('since Node-RED cannot copy it for a second wire, is refused before any request', async () => {
        const code = 'Object.defineProperty(msg, "trap", { enumerable: true, get() { throw "no"; } }); return msg;';
        const action = await node();
        await deploy({ ...action, wires: [['out', 'other']] }, sink('other'));
        give(action.id, code, { payload: { a: 1 }, picture });
        const { name, message } = await refused();
        assert.equal(name, 'InvalidValue');
        assert.match(message, /^The message cannot be copied for a second wire: no\. Nothing was sent\.$/);
        assert.deepEqual([bench.red.received('other'), await requests(operation)], [[], 0]);
      });
    });
  }

  it('goes on to two wires where only what the result replaces cannot be copied', async () => {
    const code = 'Object.defineProperty(msg.payload, "trap", { enumerable: true, get() { throw "no"; } }); return msg;';
    const node = invokeNode({ payload: '1', payloadType: 'num', wires: [['out', 'other']] });
    await deploy(node, sink('other'));
    give('invoke', code, { payload: {} });
    const sent = await Promise.all([bench.red.next('out'), bench.red.next('other')]);
    assert.deepEqual(
      sent.map(({ aws }) => aws?.operation),
      ['Invoke', 'Invoke']
    );
  });

  it('is done once where a Catch node tries again what was refused', async () => {
    const again = { id: 'again', type: 'catch', scope: ['invoke'], wires: [['invoke']] };
    await deploy(invokeNode(), again);
    give('invoke', 'return Object.freeze(msg);', { payload: {} });
    assert.equal((await bench.red.next('out')).aws?.operation, 'Invoke');
    assert.equal((await bench.aws.invocations('hello')).length, 1);
  });

  it('is not refused for members that the node leaves alone', async () => {
    await deploy(detectNode({ image: 'picture' }));
    give('detect', 'Object.defineProperty(msg, "image", { value: 1 }); return msg;', { picture });
    assert.equal((await bench.red.next('out')).aws?.operation, 'DetectLabels');
  });

  describe('with bytes of its own realm', () => {
    const forms = {
      'a Uint8Array': 'new Uint8Array(bytes)',
      'a part of an ArrayBuffer': 'new Uint8Array(new Uint8Array([0, ...bytes, 0]).buffer, 1, bytes.length)',
      'an ArrayBuffer': 'new Uint8Array(bytes).buffer',
      'a DataView': 'new DataView(new Uint8Array(bytes).buffer)'
    };
    const givePayload = (id: string, form: string, bytes: Buffer) =>
      give(id, `const bytes = msg.bytes; return { ...msg, payload: ${form} };`, { bytes: [...bytes] });

    for (const [what, form] of Object.entries(forms)) {
      it(`has them in a binary attribute of SQS: ${what}`, async () => {
        const queue = await queues.create();
        const attributes = '{"own": payload, "given": {"DataType": "Binary.x", "BinaryValue": payload}}';
        await deploy(sendNode({ queue, body: 'x', bodyType: 'str', attributes, attributesType: 'jsonata' }));
        givePayload('send', form, Buffer.from([1, 2, 255]));
        await bench.red.next('out');
        const [received] = await queues.receive(queue, { MessageAttributeNames: ['All'] });
        const { own, given } = received?.MessageAttributes ?? {};
        assert.deepEqual([own?.DataType, given?.DataType], ['Binary', 'Binary.x']);
        for (const each of [own, given]) assert.deepEqual([...(each?.BinaryValue ?? [])], [1, 2, 255]);
      });

      it(`has them as a picture: ${what}`, async () => {
        await deploy(detectNode());
        givePayload('detect', form, picture);
        const { payload } = await bench.red.next('out');
        assert.deepEqual((payload as { image: object }).image, { width: 96, height: 96 });
      });

      it(`has them as a payload that is JSON already: ${what}`, async () => {
        await deploy(invokeNode());
        givePayload('invoke', form, Buffer.from('{"name": "Zoë"}'));
        await bench.red.next('out');
        const [invocation] = await bench.aws.invocations('hello');
        assert.deepEqual(invocation?.event, { name: 'Zoë' });
      });
    }

    it('are no attributes by themselves', async () => {
      await deploy(sendNode({ queue: 'x', body: 'x', bodyType: 'str', attributes: 'payload', attributesType: 'msg' }));
      givePayload('send', 'new Uint8Array(bytes)', Buffer.from([1]));
      assert.match((await refused()).message, /must be an object such as/);
    });
  });

  describe('of a receiver', () => {
    async function settleAs(code: string, wires: string[]): Promise<string> {
      const queue = await queues.create({ VisibilityTimeout: '600' });
      await queues.send(queue, 'x');
      const receiver = receiveNode({ queue, settle: 'flow', wires: [] });
      await deploy(settleNode({ wires: [wires] }), receiver, sink('settled'), sink('other'));
      give('settle', code, await bench.red.nextSent('receive'));
      return queue;
    }

    it('is settled and goes on, frozen as it is: nothing of it has to be set', async () => {
      const queue = await settleAs('return Object.freeze(msg);', ['settled']);
      assert.equal((await bench.red.next('settled')).payload, 'x');
      assert.deepEqual(await queues.counts(queue), { visible: 0, hidden: 0, delayed: 0 });
    });

    it('is not settled where Node-RED cannot copy it for a second wire', async () => {
      const code = 'Object.defineProperty(msg, "trap", { enumerable: true, get() { throw "no"; } }); return msg;';
      const queue = await settleAs(code, ['settled', 'other']);
      const { name, message } = await refused();
      assert.equal(name, 'InvalidValue');
      assert.match(message, /cannot be copied for a second wire/);
      assert.deepEqual([bench.red.received('settled'), bench.red.received('other')], [[], []]);
      assert.deepEqual(await queues.counts(queue), { visible: 0, hidden: 1, delayed: 0 });
    });
  });
});
