import assert from 'node:assert/strict';
import { deployAction, invokeNode, publishNode, sendNode, useBench, useQueues } from '../aws';
import type { FlowNode } from '../node-red';
import { type Exchange, useRelay } from '../relay';

/** Targets that are tried side by side: the others have to wait for one of these. */
const sideBySide = 50;
/** What Lambda gets of a client context. */
const contextOf = ({ headers }: Exchange): string =>
  Buffer.from(headers['x-amz-client-context'] ?? '', 'base64').toString();

describe('a message to more targets than are tried side by side', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const relay = useRelay(bench);
  const targets = <T>(target: T): T[] => Array(sideBySide + 10).fill(target);
  const topic = 'arn:aws:sns:us-east-1:000000000000:news';
  const nodes: [what: string, node: FlowNode][] = [
    ['a body', sendNode({ queue: 'to', queueType: 'msg' })],
    ['a message', publishNode({ target: 'to', targetType: 'msg' })],
    ['texts by protocol', publishNode({ target: 'to', targetType: 'msg', perProtocol: true })],
    ['a payload', invokeNode({ functionName: 'to', functionNameType: 'msg' })],
    [
      'a client context',
      invokeNode({
        functionName: 'to',
        functionNameType: 'msg',
        payload: '1',
        payloadType: 'num',
        clientContext: 'payload',
        clientContextType: 'msg'
      })
    ]
  ];

  for (const [what, node] of nodes) {
    it(`is sent to all of them as it came, although the flow goes on changing it: ${what}`, async () => {
      await deployAction(bench, node, { endpoint: relay.url });
      const to = targets(node.id === 'invoke' ? 'hello' : node.id === 'send' ? await queues.create() : topic);
      const payload = { default: 'as it came', sqs: { text: 'as it came' } };
      relay.exchanges.length = 0;
      relay.answer = () => {
        payload.default = 'changed';
        payload.sqs.text = 'changed';
        return undefined;
      };
      await bench.red.send(node.id, { payload, to });
      const sent = relay.exchanges.map((exchange) => decodeURIComponent(exchange.body) + contextOf(exchange));
      assert.ok(sent.length > 1, `${sent.length} requests`);
      for (const body of sent) assert.doesNotMatch(body, /changed/);
    });
  }
});
