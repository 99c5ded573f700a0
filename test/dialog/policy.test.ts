/** The minimum policies for what is deployed with an account. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { roles, signIns } from '../../local-aws/client';
import reference from '../../local-aws/server/service-authorization.json';
import { meaningOfDenial } from '../../nodes/account/denial';
import { operations } from '../../nodes/account/sdks';
import type { Policies } from '../../nodes/dialog/policy';
import { holderOf, type Policy, policyOf, putCommand, sizeOf } from '../../nodes/dialog/policy-document';
import { rights } from '../../nodes/dialog/rights';
import { useEnvironment } from '../account/environment';
import { account, credentials, invokeNode, keysOf, sendNode, useBench } from '../aws';
import { type FlowNode, sink } from '../node-red';

const arn = (rest: string): string => `arn:aws:${rest}`;
const own = signIns.demo.account;

/** Actions and resources of statements, by their `Sid`. */
type Shown = Record<string, [action: string | string[], resource: string | string[] | undefined]>;

describe('the policy of a flow', () => {
  const bench = useBench();
  const env = useEnvironment();

  async function ask(id = 'account'): Promise<Policies & { refusal?: { kind: string } }> {
    const answer = await bench.red.request(`aws-account/policy?account=${id}`);
    assert.equal(answer.status, 200);
    const text = await answer.text();
    for (const { secretAccessKey } of Object.values(signIns)) assert.ok(!text.includes(secretAccessKey));
    return JSON.parse(text) as Policies;
  }

  const block = ({ blocks }: Policies, kind: string) => blocks.find((each) => each.kind === kind);
  const shown = (policies: Policies, kind = 'needed'): Shown =>
    Object.fromEntries(
      (block(policies, kind)?.policy.Statement ?? []).map(({ Sid, Action, Resource }) => [Sid, [Action, Resource]])
    );

  const deploy = (nodes: FlowNode[], properties: Record<string, unknown> = {}, more: Record<string, string> = {}) =>
    bench.red.deploy([account(bench, properties), ...nodes], { credentials: credentials('demo', more) });

  const publish = (id: string, properties: Record<string, unknown>): FlowNode => ({
    id,
    type: 'aws-sns-publish',
    account: 'account',
    targetType: 'str',
    ...properties
  });

  it('names what the fields name: by name, ARN, URL or variable, in the region of the node', async () => {
    env.set({ NIMBUS_QUEUE: 'from-a-variable' });
    await deploy([
      invokeNode({ name: 'ask', functionName: 'thermostat', qualifier: 'live', qualifierType: 'str' }),
      invokeNode({ id: 'i2', name: 'any version', functionName: 'hello', qualifier: 'v', qualifierType: 'msg' }),
      sendNode({ name: 'by URL', queue: `https://sqs.eu-west-1.amazonaws.com/${own}/orders` }),
      sendNode({ id: 's2', name: 'by name', queue: 'orders', region: 'cn-north-1', regionType: 'str' }),
      sendNode({ id: 's3', name: 'by variable', queue: 'NIMBUS_QUEUE', queueType: 'env' }),
      publish('p1', { name: 'SMS', target: '+4915112345678' }),
      publish('p2', { name: 'topic', target: arn('sns:us-east-1:222222222222:alerts') })
    ]);
    const expected: Shown = {
      AnyVersion: [
        'lambda:InvokeFunction',
        [arn(`lambda:us-east-1:${own}:function:hello`), arn(`lambda:us-east-1:${own}:function:hello:*`)]
      ],
      Ask: ['lambda:InvokeFunction', arn(`lambda:us-east-1:${own}:function:thermostat:live`)],
      ByName: [['sqs:GetQueueUrl', 'sqs:SendMessage'], `arn:aws-cn:sqs:cn-north-1:${own}:orders`],
      ByURL: ['sqs:SendMessage', arn(`sqs:eu-west-1:${own}:orders`)],
      ByVariable: [['sqs:GetQueueUrl', 'sqs:SendMessage'], arn(`sqs:us-east-1:${own}:from-a-variable`)],
      SMS: ['sns:Publish', '*'],
      Topic: ['sns:Publish', arn('sns:us-east-1:222222222222:alerts')]
    };
    const policies = await ask();
    assert.deepEqual(shown(policies), expected);
    assert.deepEqual(Object.keys(shown(policies)), Object.keys(expected));
    assert.deepEqual(shown(await ask()), expected);
  });

  it('has a star and a note where messages name it, and says what a flow cannot show', async () => {
    await deploy([
      sendNode({ name: 'any queue', queue: 'queue', queueType: 'msg' }),
      { id: 'd', type: 'aws-rekognition-detect', name: 'look', account: 'account' },
      {
        id: 'd2',
        type: 'aws-rekognition-detect',
        name: 'in S3',
        account: 'account',
        imageType: 'jsonata',
        image: '"s3://cams/porch/" & topic'
      },
      invokeNode({ name: 'for others', dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' })
    ]);
    const policies = await ask();
    assert.deepEqual(shown(policies), {
      AnyQueue: ['sqs:SendMessage', '*'],
      AnyQueue2: ['sqs:GetQueueUrl', arn(`sqs:us-east-1:${own}:*`)],
      InS3: ['rekognition:DetectLabels', '*'],
      InS32: ['s3:GetObject', arn('s3:::cams/porch/*')]
    });
    assert.deepEqual(policies.notes, [
      { kind: 'ofMessages', sid: 'AnyQueue' },
      { kind: 'ofMessages', sid: 'AnyQueue2' },
      { kind: 'shared', sid: 'InS3', nodes: ['in S3', 'look'] },
      { kind: 'ofMessages', sid: 'InS32' },
      { kind: 'pictures', nodes: ['look'] },
      { kind: 'credentials', nodes: ['for others'] },
      { kind: 'encrypted' }
    ]);
  });

  it('counts nodes in subflows, and those whose account a variable names, but none that is disabled', async () => {
    const template = {
      id: 'template',
      type: 'subflow',
      name: 'T',
      in: [],
      out: [],
      env: [
        { name: 'ACC', type: 'str', value: '' },
        { name: 'FN', type: 'str', value: '' }
      ]
    };
    const instance = (id: string, fn: string, of: string): FlowNode => ({
      id,
      type: 'subflow:template',
      env: [
        { name: 'FN', type: 'str', value: fn },
        { name: 'ACC', type: 'str', value: of }
      ]
    });
    await bench.red.deploy(
      [
        account(bench),
        account(bench, { id: 'other' }),
        template as unknown as FlowNode,
        {
          ...invokeNode({ id: 'inner', name: 'inner', account: '${ACC}', functionName: 'FN', functionNameType: 'env' }),
          z: 'template'
        },
        instance('one', 'hello', 'account'),
        instance('two', 'echo', 'account'),
        instance('three', 'slow', 'other'),
        { ...invokeNode({ id: 'off', functionName: 'broken' }), d: true }
      ],
      { credentials: { ...credentials(), other: keysOf('demo') } }
    );
    const functions = async (id: string) =>
      Object.values(shown(await ask(id))).flatMap(([, resource]) => resource ?? []);
    assert.deepEqual((await functions('account')).sort(), [
      arn(`lambda:us-east-1:${own}:function:echo`),
      arn(`lambda:us-east-1:${own}:function:hello`)
    ]);
    assert.deepEqual(await functions('other'), [arn(`lambda:us-east-1:${own}:function:slow`)]);
  });

  it('of an account in a subflow is that of all its instances, with the values of each', async () => {
    const instance = (id: string, queue: string, region: string): FlowNode => ({
      id,
      type: 'subflow:template',
      env: [
        { name: 'QUEUE', type: 'str', value: queue },
        { name: 'REGION', type: 'str', value: region }
      ]
    });
    const template = { id: 'template', type: 'subflow', name: 'T', in: [], out: [], env: [] };
    const inside = [
      { ...account(bench, { region: '${REGION}' }), z: 'template' },
      sendNode({ name: 'send', queue: 'QUEUE', queueType: 'env', z: 'template', wires: [] })
    ];
    const stored = { credentials: credentials() };
    await bench.red.deploy(
      [template, ...inside, instance('one', 'orders', 'eu-west-1'), instance('two', 'bills', 'us-east-1')],
      stored
    );
    const policies = await ask();
    assert.deepEqual(
      policies.blocks.map(({ kind }) => kind),
      ['needed', 'optional']
    );
    assert.deepEqual(shown(policies), {
      OneSend: [['sqs:GetQueueUrl', 'sqs:SendMessage'], arn(`sqs:eu-west-1:${own}:orders`)],
      TwoSend: [['sqs:GetQueueUrl', 'sqs:SendMessage'], arn(`sqs:us-east-1:${own}:bills`)]
    });
    await bench.red.deploy([template, ...inside], stored);
    assert.equal((await ask()).refusal?.kind, 'disabled');
  });

  it('has what only the lists in dialogs need in a block of its own, and in it nothing twice', async () => {
    await deploy([{ id: 'l', type: 'aws-lambda-list', name: 'list', account: 'account' }, invokeNode({ name: 'ask' })]);
    const policies = await ask();
    assert.deepEqual(shown(policies).List, ['lambda:ListFunctions', '*']);
    assert.deepEqual(shown(policies, 'optional'), {
      Ask: [['lambda:ListAliases', 'lambda:ListVersionsByFunction'], arn(`lambda:us-east-1:${own}:function:hello`)]
    });
  });

  it('of a role has both sides, which let it be assumed; without either it cannot', async () => {
    const externalId = 'an-id-of-the-test';
    const properties = { roleArn: roles.demo.arn };
    await bench.red.deploy([account(bench, properties), invokeNode({ name: 'ask' })], {
      credentials: { account: { ...keysOf('limited'), externalId } }
    });
    const policies = await ask();
    const { holder } = block(policies, 'needed') ?? {};
    assert.deepEqual(holder, { kind: 'role', name: roles.demo.name });
    const [source, trust] = ['source', 'trust'].map((kind) => block(policies, kind)?.policy as Policy);
    assert.ok(source && trust);
    assert.deepEqual(trust.Statement, [
      {
        Effect: 'Allow',
        Principal: { AWS: signIns.limited.arn },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': externalId } }
      }
    ]);
    const outcome = async (policy: Policy, trusted: Policy) => {
      await bench.aws.settings({ policy: policy as never, trust: trusted as never });
      await bench.red.deploy([]);
      await bench.red.deploy([account(bench, properties), invokeNode(), sink('out')], {
        credentials: { account: { ...keysOf('limited'), externalId } }
      });
      return (await bench.red.send('invoke', { payload: {} })).error?.code;
    };
    assert.deepEqual(await outcome(source, trust), undefined);
    assert.deepEqual(await outcome(policyOf([]), trust), 'AccessDenied');
    const [statement] = trust.Statement;
    const elsewhere = { ...statement, Condition: { StringEquals: { 'sts:ExternalId': 'another' } } };
    assert.deepEqual(await outcome(source, policyOf([elsewhere as never])), 'AccessDenied');
  });

  it('is there without an answer of STS, with a star for the account number', async () => {
    await deploy([sendNode({ name: 'send', queue: 'orders' })]);
    await bench.aws.fault({ operation: 'GetCallerIdentity', kind: 'hang' });
    const policies = await ask();
    assert.deepEqual(shown(policies), {
      Send: [['sqs:GetQueueUrl', 'sqs:SendMessage'], arn('sqs:us-east-1:*:orders')]
    });
    assert.equal(policies.notes[0]?.kind, 'account');
    assert.match(block(policies, 'needed')?.command ?? '', /^aws iam create-policy --policy-name node-red-account /);
  });

  it('is refused for an account that does not run', async () => {
    await deploy([]);
    assert.equal((await ask('nothing')).refusal?.kind, 'notDeployed');
    await bench.red.deploy([account(bench, { d: true })], { credentials: credentials() });
    assert.equal((await ask()).refusal?.kind, 'disabled');
  });

  it('has commands that a shell takes as they are meant', async () => {
    await deploy([sendNode({ name: 'send', queue: 'orders' })]);
    const { command = '', policy } = block(await ask(), 'needed') ?? {};
    const words = execFileSync('sh', ['-c', `aws() { printf '%s\\n' "$@"; }; ${command}`], { encoding: 'utf8' });
    assert.deepEqual(words.trimEnd().split('\n'), [
      'iam',
      'put-user-policy',
      '--user-name',
      'demo',
      '--policy-name',
      'node-red-account',
      '--policy-document',
      JSON.stringify(policy)
    ]);
    const odd = policyOf([{ Sid: `it's $HOME "x" \\`, Effect: 'Allow', Action: 'a:b', Resource: '*' }]);
    const put = putCommand(odd, 'n', holderOf(arn('sts::111111111111:assumed-role/gate/session')));
    const text = execFileSync('sh', ['-c', `aws() { printf '%s' "$8"; }; ${put}`], { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(text), odd);
  });

  it('has letters and digits only in each Sid, and says so when it is larger than IAM takes', async () => {
    const names = ['Größe & Maß', 'Größe/Maß', '注文', '42'];
    const many = Array.from({ length: 90 }, (_, index) =>
      sendNode({ id: `many${index}`, name: names[index] ?? `queue ${index}`, queue: `queue-number-${index}` })
    );
    await deploy(many);
    const policies = await ask();
    const { policy = policyOf([]), command } = block(policies, 'needed') ?? {};
    const sids = policy.Statement.map(({ Sid = '' }) => Sid);
    assert.equal(new Set(sids).size, sids.length);
    for (const sid of sids) assert.match(sid, /^[A-Za-z0-9]+$/);
    assert.ok(
      ['GroEMa', 'GroEMa2', 'AwsSqsSend', '42'].every((sid) => sids.includes(sid)),
      sids.slice(0, 8).join()
    );
    assert.match(String(command), /^aws iam create-policy/);
    assert.deepEqual(policies.notes.at(-1), { kind: 'large', size: sizeOf(policy), most: 6144 });
  });
});

describe('the rights of the nodes', () => {
  const all = Object.entries(rights).flatMap(([, parts]) => Object.values(parts).flat());
  const ofNodes = all.filter(({ Principal, Action }) => !Principal && Action !== 'iot:AssumeRoleWithCertificate');

  /** The resource types that AWS's reference has for an action. */
  const typesOf = (action: string): string[] | undefined =>
    (reference.resourceTypes as Record<string, string[]>)[action]?.map((type) => type.replace('*', ''));

  /** Whether an ARN has the form that the reference has for a type of resource. */
  function fits(resource: string, service: string, type: string): boolean {
    const format = (reference.arns as Record<string, Record<string, string>>)[service]?.[type] ?? '';
    const parts = format.split(/\$\{\w+\}/).map((text) => text.replace(/[/.]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(resource);
  }

  it('are those of AWS’s Service Authorization Reference, on resources that it knows for them', () => {
    for (const { Action, Resource } of ofNodes) {
      for (const action of [Action].flat()) {
        const types = typesOf(action);
        assert.ok(types, `${action} is in the reference`);
        const [service = ''] = action.split(':');
        for (const resource of [Resource ?? '*'].flat().filter((each) => each !== '*')) {
          const isKnown = types.some((type) => fits(resource, service, type));
          // Its part before the name of an execution.
          const isStart = types.includes('durable execution') && resource.endsWith(':function:my-function:*');
          assert.ok(isKnown || isStart, `${action} on ${resource}`);
        }
      }
    }
  });

  it('say of what type of the reference a resource is', () => {
    for (const { Action, type } of ofNodes) {
      const types = typesOf([Action].flat()[0] as string) ?? [];
      const plain = { 'queue name': 'queue', phone: 'topic' }[type as string] ?? type;
      if (type !== undefined) assert.ok(types.includes(plain as string), `${Action}: ${type}`);
    }
  });

  it('cover each operation that the nodes call', () => {
    const allowed = new Set(ofNodes.flatMap(({ Action }) => Action));
    const free = new Set(['sts:GetCallerIdentity']);
    for (const [service, names] of Object.entries(operations)) {
      const known = (reference.operations as Record<string, Record<string, string[]>>)[service] ?? {};
      assert.deepEqual(Object.keys(known).sort(), [...names].sort(), service);
      for (const [name, [action = '']] of Object.entries(known)) {
        assert.ok(allowed.has(action) || free.has(action), `${service} ${name}: ${action}`);
      }
    }
  });
});

describe('what is said of a missing right', () => {
  const user = 'User: arn:aws:iam::123456789012:user/me is not authorized to perform:';
  const queue = 'arn:aws:sqs:eu-west-1:123456789012:orders';
  for (const [text, meaning] of [
    [
      `${user} sqs:sendmessage on resource: ${queue} because no identity-based policy allows the sqs:sendmessage action`,
      `allow sqs:SendMessage on ${queue} in a policy (the aws-account makes one: Policy), or choose another sign-in.`
    ],
    [
      `${user} SNS:Publish on resource: * with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p-1`,
      'a service control policy denies sns:Publish on *, whatever other policies allow.'
    ],
    [
      `${user} rekognition:DetectLabels because no permissions boundary allows the rekognition:DetectLabels action`,
      'no permissions boundary allows rekognition:DetectLabels, and policies of the sign-in alone cannot.'
    ],
    [
      `${user} lambda:InvokeFunction on resource: arn:x because no session policy allows the lambda:InvokeFunction action`,
      'no session policy allows lambda:InvokeFunction on arn:x, and policies of the sign-in alone cannot.'
    ],
    [
      `${user} lambda:InvokeFunction on resource: arn:x with an explicit deny in an identity-based policy`,
      'an identity-based policy denies lambda:InvokeFunction on arn:x, whatever other policies allow.'
    ],
    ['Access Denied', 'allow it in a policy, or choose another sign-in.']
  ] as const) {
    it(`names action, resource and policy: “${text.slice(60, 130)}”`, () => {
      assert.equal(meaningOfDenial(text), `This sign-in is not allowed to do that: ${meaning}`);
    });
  }
});
