/** The results for answers of Rekognition as they are documented: those of the SDK's own examples, where it has one. */
import assert from 'node:assert/strict';
import { createCanvas } from 'canvas';
import { account, credentials, detectNode, indexFaceNode, useBench } from './aws';
import type { FlowNode, Message } from './node-red';
import { sink } from './node-red';
import { Relay } from './relay';

interface Examples {
  examples: Record<string, { output: object }[]>;
}

const { examples } = require('aws-sdk/apis/rekognition-2016-06-27.examples.json') as Examples;
const exampleOf = (operation: string): object => examples[operation]?.[0]?.output ?? {};

const picture = createCanvas(200, 100).encodeSync('jpeg');

describe('what Rekognition answers', () => {
  const bench = useBench();
  let relay: Relay;
  before(async () => {
    relay = await Relay.start(bench.aws.url);
  });
  beforeEach(() => {
    relay.exchanges.length = 0;
  });
  after(() => relay.stop());

  /** The message for a picture when each operation is answered as given. */
  async function resultOf(node: FlowNode, answers: Record<string, object>): Promise<Message> {
    relay.answer = ({ headers }) => {
      const operation = String(headers['x-amz-target']).replace('RekognitionService.', '');
      return answers[operation] && { status: 200, body: JSON.stringify(answers[operation]) };
    };
    const nodes = [account(bench, { endpoint: relay.url }), node, sink('out')];
    await bench.red.deploy(nodes, { credentials: credentials() });
    const { error, done, sent } = await bench.red.send(node.id, { payload: picture, topic: 'Ada' });
    assert.equal(error, undefined);
    assert.equal(done, 1);
    return sent[0] as Message;
  }

  it('labels without a place', async () => {
    const { payload } = await resultOf(detectNode(), { DetectLabels: exampleOf('DetectLabels') });
    assert.deepEqual(payload, {
      operation: 'labels',
      source: 'detect',
      image: { width: 200, height: 100 },
      count: 0,
      summary: {},
      objects: [],
      labels: [
        { name: 'people', confidence: 99.251 },
        { name: 'person', confidence: 99.251 }
      ]
    });
  });

  it('faces', async () => {
    const { payload } = await resultOf(detectNode({ operation: 'faces' }), { DetectFaces: exampleOf('DetectFaces') });
    console.log(JSON.stringify(payload));
  });
  it('identify', async () => {
    const { payload, aws } = await resultOf(detectNode({ operation: 'identify', collection: 'x', annotate: 'png' }), { DetectFaces: exampleOf('DetectFaces'), SearchFacesByImage: exampleOf('SearchFacesByImage') });
    console.log(JSON.stringify([payload, aws]));
  });
  it('index', async () => {
    const { payload, aws } = await resultOf(indexFaceNode({ collection: 'x' }), { IndexFaces: exampleOf('IndexFaces') });
    console.log(JSON.stringify([payload, aws]));
  });
});
