/** The local AWS and a Node-RED for tests of the pack's nodes, and the nodes that they deploy. */
import { LocalAws, signIns } from '../local-aws/client';
import { type FlowNode, type NodeRed, sink, startNodeRed } from './node-red';

export interface Bench {
  red: NodeRed;
  aws: LocalAws;
}

/** Keys of a local sign-in, as an account's credentials. */
export const keysOf = (name: keyof typeof signIns): { accessKeyId: string; secretAccessKey: string } => ({
  accessKeyId: signIns[name].accessKeyId,
  secretAccessKey: signIns[name].secretAccessKey
});

/** Starts both before a file's tests and cleans up between them; the bench is filled in when the tests run. */
export function useBench(): Bench {
  const bench = {} as Bench;
  before(async () => {
    bench.aws = await LocalAws.start();
    bench.red = await startNodeRed();
  });
  beforeEach(() => bench.aws.reset());
  afterEach(async () => {
    await bench.red.deploy([]);
    bench.red.clearLogs();
  });
  after(() => bench.aws.stop());
  return bench;
}

/** An account that signs in to the local AWS by keys. */
export const account = ({ aws }: Bench, properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'account',
  type: 'aws-account',
  name: '',
  source: 'keys',
  profile: '',
  region: 'us-east-1',
  endpoint: aws.url,
  roleArn: '',
  sessionName: '',
  duration: 3600,
  validate: false,
  rekognitionRate: 5,
  ...properties
});

/** Credentials for `deploy`: the account's keys. */
export const credentials = (name: keyof typeof signIns = 'demo', more: Record<string, string> = {}) => ({
  account: { ...keysOf(name), ...more }
});

export const invokeNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'invoke',
  type: 'aws-lambda-invoke',
  account: 'account',
  functionName: 'hello',
  functionNameType: 'str',
  wires: [['out']],
  ...properties
});

export const listNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'list',
  type: 'aws-lambda-list',
  account: 'account',
  wires: [['out']],
  ...properties
});

/** Deploys one action with an account that signs in as `demo`, and a node that takes its output. */
export async function deployAction(
  bench: Bench,
  node: FlowNode,
  properties: Record<string, unknown> = {}
): Promise<void> {
  await bench.red.deploy([account(bench, properties), node, sink('out')], { credentials: credentials() });
}
