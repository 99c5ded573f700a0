/**
 * Everything that a flow can get wrong, as a table: each row is a node, an account, a message or a server that is
 * bad in one way, and says which error comes of it. What holds for every one of them is in `judge`.
 */
import assert from 'node:assert/strict';
import { connect, createServer, type LookupFunction, type Server, type Socket } from 'node:net';
import type { Fault, LocalAws } from '../../local-aws/client';
import { couldNotConnect, isNetworkCode } from '../../nodes/account/network-failures';
import { toActionError } from '../../nodes/account/to-action-error';
import { account, assertFailed, type Bench, callbackNode, invokeNode, keysOf, listNode, useBench } from '../aws';
import { type FlowNode, type Message, type Outcome, sink } from '../node-red';

interface Row {
  /** What is bad; the test's name is made of it. */
  bad: string;
  /** Properties of an invoke node (of a list node with `list`). */
  node?: Record<string, unknown>;
  /** Whether it is an aws-lambda-list. */
  list?: true;
  /** Whether it is an aws-lambda-callback. */
  callback?: true;
  /** Properties of the account; a function where they need a port. */
  account?: Record<string, unknown> | (() => Promise<Record<string, unknown>>);
  credentials?: Record<string, string>;
  msg?: Message | (() => Message);
  before?: (aws: LocalAws) => Promise<void>;
  fault?: Fault;
  error: string;
  says: RegExp;
  retryable?: true;
  /** Requests to Lambda that reach the server, and runs of functions. */
  requests?: number;
  invocations?: number;
}

const bench = useBench();

/** A text of the error may be this long: it has to fit a log line and the debug sidebar. */
const longestText = 1100;

const from = (field: string, type: string, value: string) => ({ [field]: value, [`${field}Type`]: type });
const functionFrom = (type: string, value: string) => from('functionName', type, value);
const payloadFrom = (type: string, value: string) => from('payload', type, value);

const circular = (): Message => {
  const req: Record<string, unknown> = { method: 'GET' };
  req.res = { req };
  return { payload: 'kept', req };
};

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
};

/** One row for each type of value that a field does not take. */
const wrongTypes = (
  field: string,
  values: Record<string, unknown>,
  says: (shown: string) => RegExp,
  more: Partial<Row> = {}
): Row[] =>
  Object.entries(values).map(([shown, value]) => ({
    bad: `a ${field} that is ${shown}`,
    node: from(field, 'msg', 'bad'),
    msg: () => ({ payload: 'kept', bad: value }),
    error: 'InvalidValue',
    says: says(shown),
    ...more
  }));

const notText: Record<string, unknown> = {
  'a number': 7,
  'an object': { name: 'hello' },
  null: null,
  'a boolean': true,
  'a Buffer': Buffer.from('hello'),
  'a function': () => 'hello',
  'a symbol': Symbol('hello'),
  'a bigint': 7n
};
const { null: _, ...notTextNorNull } = notText;
/** A version may well come as a number. */
const { 'a number': __, ...noQualifier } = notTextNorNull;

const functionNames: Row[] = [
  {
    bad: 'a functionName that is blank',
    node: { functionName: '' },
    error: 'MissingValue',
    says: /^Function \(functionName\) is required, but is empty/
  },
  {
    bad: 'a functionName from a member that the message does not have',
    node: functionFrom('msg', 'target'),
    error: 'MissingValue',
    says: /Function \(functionName\) .*msg\.target has no value/
  },
  {
    bad: 'a functionName from below a member that the message does not have',
    node: functionFrom('msg', 'a.b.c'),
    error: 'MissingValue',
    says: /Function \(functionName\) .*msg\.a\.b\.c has no value/
  },
  {
    bad: 'a functionName from below null',
    node: functionFrom('msg', 'a.b'),
    msg: { payload: 'kept', a: null },
    error: 'MissingValue',
    says: /Function \(functionName\) .*msg\.a\.b has no value/
  },
  {
    bad: 'a functionName from an element that a message names and does not have',
    node: functionFrom('msg', 'a[msg.which]'),
    msg: { payload: 'kept', a: ['hello'] },
    error: 'MissingValue',
    says: /Function \(functionName\) .*msg\.a\[msg\.which\] has no value/
  },
  {
    bad: 'a functionName from a path that is none',
    node: functionFrom('msg', 'a[0'),
    error: 'InvalidValue',
    says: /Function \(functionName\).*"msg\.a\[0" is not a valid path/
  },
  {
    bad: 'a functionName that is an empty text in the message',
    node: functionFrom('msg', 'target'),
    msg: { payload: 'kept', target: '' },
    error: 'MissingValue',
    says: /Function \(functionName\) .*msg\.target has no value/
  },
  {
    bad: 'a functionName from an environment variable that is not set',
    node: functionFrom('env', 'NIMBUS_IS_NOT_SET'),
    error: 'MissingValue',
    says: /Function \(functionName\) .*environment variable NIMBUS_IS_NOT_SET has no value/
  },
  {
    bad: 'a functionName from an empty flow context',
    node: functionFrom('flow', 'target.name'),
    error: 'MissingValue',
    says: /Function \(functionName\) .*flow\.target\.name has no value/
  },
  {
    bad: 'a functionName from an empty global context',
    node: functionFrom('global', 'target'),
    error: 'MissingValue',
    says: /Function \(functionName\) .*global\.target has no value/
  },
  {
    bad: 'a functionName from a context path that is none',
    node: functionFrom('flow', 'a[0'),
    error: 'MissingValue',
    says: /Function \(functionName\) .*flow\.a\[0 has no value/
  },
  ...wrongTypes(
    'functionName',
    notText,
    (shown) => new RegExp(`^Function \\(functionName\\) must be .*, but is ${shown}\\.`)
  ),
  {
    bad: 'a functionName that is NaN',
    node: functionFrom('msg', 'bad'),
    msg: { payload: 'kept', bad: Number.NaN },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be .*, but is a number/
  },
  {
    bad: 'an array of no functions',
    node: functionFrom('json', '[]'),
    error: 'InvalidValue',
    says: /^Function \(functionName\) .*at least one target.*empty array/
  },
  {
    bad: 'an array of no functions in the message',
    node: functionFrom('msg', 'targets'),
    msg: { payload: 'kept', targets: [] },
    error: 'InvalidValue',
    says: /^Function \(functionName\) .*at least one target.*empty array/
  },
  {
    bad: 'an array of functions with elements that are none',
    node: functionFrom('msg', 'targets'),
    msg: { payload: 'kept', targets: [7, undefined, ['hello'], '', 'no such'] },
    error: 'PartialFailure',
    says: /^5 of 5 targets failed; the first, .*: Function \(functionName\) must be .*, but is a number/
  },
  {
    bad: 'an array of functions with one that does not exist',
    node: functionFrom('json', '["nobody", "hello"]'),
    error: 'PartialFailure',
    says: /^1 of 2 targets failed; the first, .*: There is nothing by this name: .*nobody/,
    requests: 2,
    invocations: 1
  },
  {
    bad: 'a functionName with a blank',
    node: { functionName: 'my function' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be .*"my function"/
  },
  {
    bad: 'a functionName of nothing but blanks',
    node: { functionName: '   ' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be/
  },
  {
    bad: 'a functionName with a line break and a header',
    node: functionFrom('msg', 'target'),
    msg: { payload: 'kept', target: 'hello\r\nX-Amz-Invocation-Type: Event' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be .*hello\\r\\nX-Amz/
  },
  {
    bad: 'a functionName that ends in a line break',
    node: functionFrom('msg', 'target'),
    msg: { payload: 'kept', target: 'hello\n' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be .*"hello\\n"/
  },
  {
    bad: 'a functionName of 257 characters',
    node: { functionName: 'f'.repeat(257) },
    error: 'InvalidValue',
    says: /^Function \(functionName\) may have at most 256 characters, but has 257/
  },
  {
    bad: 'a functionName that climbs out of its path',
    node: { functionName: '..' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be .*"\.\."/
  },
  {
    bad: 'a functionName with slashes that climb',
    node: { functionName: '../../2015-03-31/functions' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be/
  },
  {
    bad: 'a functionName in letters that AWS does not take',
    node: { functionName: 'grüße-функция' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be .*grüße/
  },
  {
    bad: 'an ARN whose region is a host and a path',
    node: { functionName: 'arn:aws:lambda:evil.example/x:111111111111:function:hello' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be/
  },
  ...['evil.example', '..', 'us-east-1.evil.example', '-'].map(
    (region): Row => ({
      bad: `an ARN whose region is ${region}`,
      node: { functionName: `arn:aws:lambda:${region}:111111111111:function:hello` },
      error: 'InvalidValue',
      says: /^Function \(functionName\) must be .*"arn:aws:lambda:/
    })
  ),
  {
    bad: 'an ARN of something else',
    node: { functionName: 'arn:aws:sqs:us-east-1:111111111111:jobs' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be .*arn:aws:sqs/
  },
  {
    bad: 'the ARN of a function of another account',
    node: { functionName: 'arn:aws:lambda:us-east-1:222222222222:function:invoices' },
    error: 'AccessDeniedException',
    says: /user\/demo is not authorized .*invoices/,
    requests: 1
  },
  {
    bad: 'an ARN in another region than the node says',
    node: {
      functionName: 'arn:aws:lambda:eu-west-1:111111111111:function:hello',
      ...from('region', 'str', 'us-east-1')
    },
    error: 'ResourceNotFoundException',
    says: /eu-west-1.*us-east-1/,
    requests: 1
  },
  {
    bad: 'a function that does not exist',
    node: { functionName: 'nobody' },
    error: 'ResourceNotFoundException',
    says: /Function not found: .*nobody/,
    requests: 1
  },
  {
    bad: 'an alias that does not exist',
    node: { functionName: 'hello:nobody' },
    error: 'ResourceNotFoundException',
    says: /Function not found: .*hello:nobody/,
    requests: 1
  },
  {
    bad: 'a functionName that is only colons',
    node: { functionName: '::' },
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be .*"::"/
  }
];

const expressions: Row[] = [
  {
    bad: 'a JSONata expression that throws',
    node: functionFrom('jsonata', '$error("no target")'),
    error: 'InvalidValue',
    says: /^Function \(functionName\): the JSONata expression failed: no target/
  },
  {
    bad: 'a JSONata expression that throws two lines',
    node: functionFrom('jsonata', '$error("one\\ntwo")'),
    error: 'InvalidValue',
    says: /^Function \(functionName\): the JSONata expression failed: one two/
  },
  {
    bad: 'a JSONata expression that adds text to a number',
    node: payloadFrom('jsonata', 'payload + 1'),
    error: 'InvalidValue',
    says: /^Payload: the JSONata expression failed: .*number/
  },
  {
    bad: 'a JSONata expression that never matches',
    node: functionFrom('jsonata', 'targets[name = "x"].id'),
    error: 'MissingValue',
    says: /^Function \(functionName\) is required, but the JSONata expression has no value/
  },
  {
    bad: 'a JSONata expression for the payload that never matches',
    node: payloadFrom('jsonata', 'nothing.here'),
    error: 'MissingValue',
    says: /^Payload is required, but the JSONata expression has no value/
  },
  {
    bad: 'a JSONata expression with a syntax error',
    node: payloadFrom('jsonata', 'payload +'),
    error: 'InvalidValue',
    says: /^Payload: .*JSONata expression.*Unexpected end of expression/
  },
  {
    bad: 'a JSONata expression with a syntax error, in a field that may be blank',
    node: from('qualifier', 'jsonata', '((('),
    error: 'InvalidValue',
    says: /^Version or alias \(qualifier\): .*JSONata expression/
  },
  {
    bad: 'a JSONata expression that gives a function',
    node: payloadFrom('jsonata', 'function($x) { $x }'),
    error: 'InvalidValue',
    says: /^Payload: the JSONata expression gives a function/
  },
  {
    bad: "a JSONata expression that gives one of JSONata's own functions",
    node: payloadFrom('jsonata', '$sum'),
    error: 'InvalidValue',
    says: /^Payload: the JSONata expression gives a function/
  },
  {
    bad: 'a JSONata expression that gives a pattern',
    node: functionFrom('jsonata', '/a+/'),
    error: 'InvalidValue',
    says: /^Function \(functionName\): the JSONata expression gives a function/
  },
  {
    bad: 'a JSONata expression that makes a hundred million elements',
    node: payloadFrom('jsonata', '[1..1e8]'),
    error: 'InvalidValue',
    says: /^Payload: the JSONata expression failed: .*must not exceed 1e\d/
  },
  {
    bad: 'a JSONata expression that calls what is no function',
    node: payloadFrom('jsonata', '$nope(payload)'),
    error: 'InvalidValue',
    says: /^Payload: the JSONata expression failed: .*function/
  },
  {
    bad: 'a JSONata expression that asks for a variable that is not set',
    node: functionFrom('jsonata', '$env("NIMBUS_IS_NOT_SET")'),
    error: 'MissingValue',
    says: /^Function \(functionName\) is required/
  }
];

const qualifiers: Row[] = [
  ...wrongTypes(
    'qualifier',
    noQualifier,
    (shown) => new RegExp(`^Version or alias \\(qualifier\\) must be .*, but is ${shown}\\.`)
  ),
  {
    bad: 'a qualifier with a blank',
    node: from('qualifier', 'str', 'my alias'),
    error: 'InvalidValue',
    says: /^Version or alias \(qualifier\) must be a version number, \$LATEST or an alias, .*"my alias"/
  },
  {
    bad: 'a qualifier that would add to the query',
    node: from('qualifier', 'str', 'live&X=1'),
    error: 'InvalidValue',
    says: /^Version or alias \(qualifier\) must be .*"live&X=1"/
  },
  {
    bad: 'a qualifier of 129 characters',
    node: from('qualifier', 'str', 'q'.repeat(129)),
    error: 'InvalidValue',
    says: /^Version or alias \(qualifier\) may have at most 128 characters, but has 129/
  },
  {
    bad: 'a qualifier other than that of the name',
    node: { functionName: 'hello:live', ...from('qualifier', 'str', 'old') },
    error: 'InvalidParameterValueException',
    says: /qualifier from the function name does not match the specified qualifier/,
    requests: 1
  }
];

const payloads: Row[] = [
  {
    bad: 'a message without a payload',
    msg: { topic: 'only' },
    error: 'MissingValue',
    says: /^Payload is required, but msg\.payload has no value/
  },
  {
    bad: 'a payload that is blank',
    node: payloadFrom('str', ''),
    error: 'MissingValue',
    says: /^Payload is required, but is empty/
  },
  {
    bad: 'a payload that contains itself, such as msg.req',
    node: payloadFrom('msg', 'req'),
    msg: circular,
    error: 'InvalidValue',
    says: /^Payload cannot be written as JSON: .*itself/
  },
  {
    bad: 'a payload that is a function',
    msg: () => ({ payload: () => 1 }),
    error: 'InvalidValue',
    says: /^Payload cannot be written as JSON: it is a function/
  },
  {
    bad: 'a payload that is a symbol',
    msg: () => ({ payload: Symbol('x') }),
    error: 'InvalidValue',
    says: /^Payload cannot be written as JSON: it is a symbol/
  },
  {
    bad: 'a payload with a big integer in it',
    msg: () => ({ payload: { id: 7n } }),
    error: 'InvalidValue',
    says: /^Payload cannot be written as JSON: .*BigInt/
  },
  {
    bad: 'a payload that is nested 100,000 deep',
    msg: () => ({ payload: nested(100_000) }),
    error: 'InvalidValue',
    says: /^Payload cannot be written as JSON/
  },
  {
    bad: 'a payload whose toJSON throws something that is no Error',
    msg: () => ({
      payload: {
        toJSON() {
          throw null;
        }
      }
    }),
    error: 'InvalidValue',
    says: /^Payload cannot be written as JSON/
  },
  {
    bad: 'a JSON literal that is malformed',
    node: payloadFrom('json', '{"a": \n tru}'),
    error: 'InvalidValue',
    says: /^Payload is not valid JSON: Unexpected token/
  },
  {
    bad: 'a number literal that is none',
    node: payloadFrom('num', 'twelve'),
    error: 'InvalidValue',
    says: /^Payload must be a number, but is "twelve"/
  },
  {
    bad: 'a text payload of 7 MB',
    msg: () => ({ payload: 'x'.repeat(7_000_000) }),
    error: 'InvalidValue',
    says: /^Payload has 7000002 bytes, .*6291556/
  },
  {
    bad: 'a Buffer of 7 MB that is JSON',
    msg: () => ({ payload: Buffer.from(JSON.stringify('x'.repeat(7_000_000))) }),
    error: 'InvalidValue',
    says: /^Payload has 7000002 bytes, .*6291556/
  },
  {
    bad: 'an object of 7 MB',
    msg: () => ({ payload: { picture: 'x'.repeat(7_000_000) } }),
    error: 'InvalidValue',
    says: /^Payload has 7000014 bytes, .*6291556/
  },
  {
    bad: 'a text that is too long only as JSON',
    msg: () => ({ payload: '"'.repeat(3_500_000) }),
    error: 'InvalidValue',
    says: /^Payload has 7000002 bytes, .*6291556/
  },
  {
    bad: 'an Event of 1.1 MB',
    node: { invocationType: 'Event' },
    msg: () => ({ payload: 'x'.repeat(1_100_000) }),
    error: 'InvalidValue',
    says: /^Payload has 1100002 bytes, .*Event.*1048576/
  },
  {
    bad: 'a payload of 7 MB for a DryRun',
    node: { invocationType: 'DryRun' },
    msg: () => ({ payload: 'x'.repeat(7_000_000) }),
    error: 'InvalidValue',
    says: /^Payload has 7000002 bytes, .*6291556/
  }
];

const contexts: Row[] = [
  {
    bad: 'a clientContext over the limit',
    node: from('clientContext', 'msg', 'context'),
    msg: () => ({ payload: 'kept', context: 'x'.repeat(3000) }),
    error: 'InvalidValue',
    says: /^Client context \(clientContext\) has \d+ characters in base64, .*3583/
  },
  {
    bad: 'a clientContext that contains itself',
    node: from('clientContext', 'msg', 'req'),
    msg: circular,
    error: 'InvalidValue',
    says: /^Client context \(clientContext\) cannot be written as JSON: .*itself/
  },
  {
    bad: 'a clientContext that is malformed JSON',
    node: from('clientContext', 'json', '{'),
    error: 'InvalidValue',
    says: /^Client context \(clientContext\) is not valid JSON/
  },
  {
    bad: 'a clientContext that is a function',
    node: from('clientContext', 'msg', 'context'),
    msg: () => ({ payload: 'kept', context: () => 1 }),
    error: 'InvalidValue',
    says: /^Client context \(clientContext\) cannot be written as JSON: it is a function/
  }
];

const headers: Row[] = [
  ...wrongTypes(
    'tenantId',
    { 'an object': { id: 'blue' }, 'a boolean': true, 'a bigint': 7n, 'a Buffer': Buffer.from('blue') },
    (shown) => new RegExp(`^Tenant ID \\(tenantId\\) must be .*, but is ${shown}\\.`)
  ),
  {
    bad: 'a tenant ID with a line break and a header',
    node: from('tenantId', 'msg', 'tenant'),
    msg: { payload: 'kept', tenant: 'blue\r\nX-Amz-Invocation-Type: Event' },
    error: 'InvalidValue',
    says: /^Tenant ID \(tenantId\) must be .*blue\\r\\nX-Amz/
  },
  {
    bad: 'a tenant ID of 257 characters',
    node: from('tenantId', 'str', 'x'.repeat(257)),
    error: 'InvalidValue',
    says: /^Tenant ID \(tenantId\) may have at most 256 characters, but has 257/
  },
  {
    bad: 'an execution name in letters that AWS does not take',
    node: from('durableName', 'str', 'Auftrag-für-Ada'),
    error: 'InvalidValue',
    says: /^Execution name \(durableName\) must be .*"Auftrag-für-Ada"/
  },
  {
    bad: 'an execution name of 65 characters',
    node: from('durableName', 'str', 'x'.repeat(65)),
    error: 'InvalidValue',
    says: /^Execution name \(durableName\) may have at most 64 characters, but has 65/
  },
  {
    bad: 'an execution name that was revoked',
    node: from('durableName', 'msg', 'order.id'),
    msg: () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return { payload: 'kept', order: { id: proxy } };
    },
    error: 'InvalidValue',
    says: /^Execution name \(durableName\) must be/
  }
];

const settings: Row[] = [
  ...Object.entries({ soon: '"soon"', '-1': '"-1"', '0': '"0"', '3601': '"3601"', NaN: '"NaN"' }).map(
    ([timeout, shown]): Row => ({
      bad: `a timeout of ${timeout}`,
      node: { timeout },
      error: 'InvalidValue',
      says: new RegExp(`^Timeout must be a number from 0\\.001 to 3600, but is ${shown}`)
    })
  ),
  {
    bad: 'a timeout that is blank',
    node: { timeout: '' },
    error: 'InvalidValue',
    says: /^Timeout must be a number from 0\.001 to 3600, but is ""/
  },
  {
    bad: 'a timeout that is an object',
    node: { timeout: { seconds: 3 } },
    error: 'InvalidValue',
    says: /^Timeout must be a number from 0\.001 to 3600, but is an object/
  },
  ...['many', '-1', '1.5', '11'].map(
    (retries): Row => ({
      bad: `retries of ${retries}`,
      node: { retries },
      error: 'InvalidValue',
      says: new RegExp(`^Retries must be a whole number from 0 to 10, but is "${retries}"`)
    })
  ),
  {
    bad: 'a timeout from an environment variable that is not set',
    node: { timeout: '${NIMBUS_IS_NOT_SET}' },
    error: 'InvalidValue',
    says: /^Timeout must be a number from 0\.001 to 3600/
  },
  {
    bad: 'an invocationType that there is not',
    node: { invocationType: 'Sync' },
    error: 'InvalidValue',
    says: /^Invocation \(invocationType\) must be one of RequestResponse, Event, DryRun, but is "Sync"/
  },
  {
    bad: 'an invocationType of the prototype',
    node: { invocationType: 'constructor' },
    error: 'InvalidValue',
    says: /^Invocation \(invocationType\) must be one of/
  },
  {
    bad: 'an output that there is not',
    node: { output: 'xml' },
    error: 'InvalidValue',
    says: /^Output must be one of parsed, raw, but is "xml"/
  },
  {
    bad: 'a functionError that there is not',
    node: { functionError: 'ignore' },
    error: 'InvalidValue',
    says: /^If it fails \(functionError\) must be one of error, output, but is "ignore"/
  },
  {
    bad: 'a logTail that is neither true nor false',
    node: { logTail: 'perhaps' },
    error: 'InvalidValue',
    says: /^Return the end of the log \(logTail\) must be true or false, but is "perhaps"/
  },
  {
    bad: 'a type of value that Node-RED has and this field has not',
    node: functionFrom('date', 'x'),
    error: 'InvalidValue',
    says: /^Function \(functionName\): "date" is not a type of value/
  },
  {
    bad: 'a type of value that there is not',
    node: functionFrom('__proto__', 'x'),
    error: 'InvalidValue',
    says: /^Function \(functionName\): "__proto__" is not a type of value/
  }
];

const regions: Row[] = [
  ...[
    'evil.example',
    'us-east-1.evil.example',
    'us-east-1/../x',
    '127.0.0.1:80',
    'us east 1',
    'us-east-1\r\nHost: evil.example',
    'us-east-1#',
    'user@evil',
    'münchen-1',
    '-us-east-1',
    '__proto__',
    'r'.repeat(100)
  ].map(
    (region): Row => ({
      bad: `a region of ${JSON.stringify(region.slice(0, 40))}`,
      node: from('region', 'msg', 'region'),
      msg: { payload: 'kept', region },
      error: 'InvalidValue',
      says: /^Region must be a region name such as eu-west-1, but is "/
    })
  ),
  ...wrongTypes('region', notTextNorNull, (shown) => new RegExp(`^Region must be .*, but is ${shown}\\.`)),
  {
    bad: 'a region of the account that is a host name',
    account: { region: 'evil.example' },
    error: 'InvalidValue',
    says: /Region must be a region name such as eu-west-1, but is "evil\.example"/
  }
];

const dynamicCredentials = (value: unknown, says: RegExp, error = 'InvalidValue') => ({
  node: from('dynamicCredentials', 'msg', 'login'),
  msg: () => ({ payload: 'kept', login: value }),
  error,
  says
});

const keys = keysOf('demo');

const logins: Row[] = [
  {
    bad: 'dynamicCredentials that the message does not bring',
    ...dynamicCredentials(undefined, /^Credentials \(dynamicCredentials\) .*msg\.login has no value/, 'MissingValue')
  },
  {
    bad: 'dynamicCredentials that are null',
    ...dynamicCredentials(null, /^Credentials \(dynamicCredentials\) .*msg\.login has no value/, 'MissingValue')
  },
  {
    bad: 'dynamicCredentials that are an empty text',
    ...dynamicCredentials('', /^Credentials \(dynamicCredentials\) .*msg\.login has no value/, 'MissingValue')
  },
  {
    bad: 'dynamicCredentials from an environment variable that is not set',
    node: from('dynamicCredentials', 'env', 'NIMBUS_IS_NOT_SET'),
    error: 'MissingValue',
    says: /^Credentials \(dynamicCredentials\) .*NIMBUS_IS_NOT_SET has no value/
  },
  {
    bad: 'dynamicCredentials from an expression that never matches',
    node: from('dynamicCredentials', 'jsonata', 'nothing.here'),
    error: 'MissingValue',
    says: /^Credentials \(dynamicCredentials\) .*JSONata expression has no value/
  },
  {
    bad: 'dynamicCredentials that are a number',
    ...dynamicCredentials(7, /^Credentials \(dynamicCredentials\) must be .*a number/)
  },
  {
    bad: 'dynamicCredentials that are text',
    ...dynamicCredentials(
      `${keys.accessKeyId}:${keys.secretAccessKey}`,
      /^Credentials \(dynamicCredentials\) must be .*a string/
    )
  },
  {
    bad: 'dynamicCredentials that are an array',
    ...dynamicCredentials(
      [keys.accessKeyId, keys.secretAccessKey],
      /^Credentials \(dynamicCredentials\) must be .*an array/
    )
  },
  {
    bad: 'dynamicCredentials that are a function',
    ...dynamicCredentials(() => keys, /^Credentials \(dynamicCredentials\) must be .*a function/)
  },
  {
    bad: 'dynamicCredentials without an accessKeyId',
    ...dynamicCredentials(
      { secretAccessKey: keys.secretAccessKey },
      /^Credentials \(dynamicCredentials\.accessKeyId\) must be text/
    )
  },
  {
    bad: 'dynamicCredentials without a secretAccessKey',
    ...dynamicCredentials(
      { accessKeyId: keys.accessKeyId },
      /^Credentials \(dynamicCredentials\.secretAccessKey\) must be text/
    )
  },
  {
    bad: 'dynamicCredentials with an empty secretAccessKey',
    ...dynamicCredentials(
      { ...keys, secretAccessKey: '' },
      /^Credentials \(dynamicCredentials\.secretAccessKey\) must be text/
    )
  },
  {
    bad: 'dynamicCredentials with a number in them',
    ...dynamicCredentials({ ...keys, accessKeyId: 42 }, /^Credentials \(dynamicCredentials\.accessKeyId\) must be text/)
  },
  {
    bad: 'dynamicCredentials with a line break in the key',
    ...dynamicCredentials(
      { ...keys, accessKeyId: `${keys.accessKeyId}\r\nX-Evil: 1` },
      /^Credentials \(dynamicCredentials\.accessKeyId\) must not hold blanks/
    )
  },
  {
    bad: 'dynamicCredentials with a line break in the token',
    ...dynamicCredentials(
      { ...keys, sessionToken: 'a\r\nb' },
      /^Credentials \(dynamicCredentials\.sessionToken\) must not hold blanks/
    )
  },
  {
    bad: 'dynamicCredentials whose token is an object',
    ...dynamicCredentials(
      { ...keys, sessionToken: {} },
      /^Credentials \(dynamicCredentials\.sessionToken\) must be text/
    )
  },
  {
    bad: 'dynamicCredentials that hide in __proto__',
    ...dynamicCredentials(
      JSON.parse(`{"__proto__": ${JSON.stringify(keys)}, "sessionToken": "t"}`),
      /^Credentials \(dynamicCredentials\.accessKeyId\) must be text/
    )
  },
  {
    bad: 'dynamicCredentials as a literal in the flow',
    node: from('dynamicCredentials', 'json', JSON.stringify(keys)),
    error: 'InvalidValue',
    says: /^Credentials \(dynamicCredentials\) must not stand in the flow itself/
  },
  {
    bad: 'dynamicCredentials that AWS does not know',
    ...dynamicCredentials(
      { ...keys, accessKeyId: 'AKIANOBODY0000000000' },
      /^AWS does not know this access key ID.*token .*invalid/
    ),
    error: 'UnrecognizedClientException',
    requests: 1
  },
  {
    bad: 'dynamicCredentials with a wrong secret',
    ...dynamicCredentials(
      { ...keys, secretAccessKey: 'wrong'.repeat(8) },
      /^The secret access key is wrong, or the clock.*signature/
    ),
    error: 'InvalidSignatureException',
    requests: 1
  },
  {
    bad: 'dynamicCredentials whose expression throws what it worked on',
    node: from('dynamicCredentials', 'jsonata', '$error(login.secretAccessKey)'),
    msg: () => ({ payload: 'kept', login: keys }),
    error: 'InvalidValue',
    says: /^Credentials \(dynamicCredentials\): the JSONata expression failed: D3137/
  }
];

const accounts: Row[] = [
  { bad: 'no account', node: { account: '' }, error: 'AccountMissing', says: /aws-account .*choose one/ },
  {
    bad: 'an account that is not there',
    node: { account: 'gone' },
    error: 'AccountMissing',
    says: /aws-account .*choose one/
  },
  {
    bad: 'an account that is another kind of node',
    node: { account: 'out' },
    error: 'AccountMissing',
    says: /aws-account .*choose one/
  },
  {
    bad: 'an account that is another action',
    node: { account: 'good' },
    error: 'AccountMissing',
    says: /aws-account .*choose one/
  },
  {
    bad: 'an account that is disabled',
    account: { d: true },
    error: 'AccountMissing',
    says: /aws-account .*disabled.*choose one/
  },
  {
    bad: 'an account id of the prototype',
    node: { account: '__proto__' },
    error: 'AccountMissing',
    says: /aws-account .*choose one/
  },
  {
    bad: 'an account id that is an object',
    node: { account: { id: 'account' } },
    error: 'AccountMissing',
    says: /aws-account .*choose one/
  },
  {
    bad: 'an account without an access key ID',
    credentials: { secretAccessKey: keys.secretAccessKey },
    error: 'MissingValue',
    says: /^The aws-account.*: Access key ID \(accessKeyId\) is required/
  },
  {
    bad: 'an account without a secret',
    credentials: { accessKeyId: keys.accessKeyId },
    error: 'MissingValue',
    says: /^The aws-account.*: Secret access key \(secretAccessKey\) is required/
  },
  {
    bad: 'an account whose secret has a blank',
    credentials: { ...keys, secretAccessKey: keys.secretAccessKey.replace('/', ' ') },
    error: 'InvalidValue',
    says: /^The aws-account.*: Secret access key \(secretAccessKey\) must be text without blanks/
  },
  {
    bad: 'an account with a source that there is not',
    account: { source: 'magic' },
    error: 'InvalidValue',
    says: /^The aws-account.*: Sign in with \(source\) must be one of default, keys, profile, certificate, but is "magic"/
  },
  {
    bad: 'an account by profile without its name',
    account: { source: 'profile' },
    error: 'MissingValue',
    says: /^The aws-account.*: Profile is required/
  },
  {
    bad: 'an account with a profile that does not exist',
    account: { source: 'profile', profile: 'nobody' },
    error: 'CredentialsProviderError',
    says: /^No usable keys were found: check in the aws-account.*profile.*nobody/
  },
  {
    bad: 'an account without any sign-in in its surroundings',
    account: { source: 'default' },
    error: 'CredentialsProviderError',
    says: /aws-account/
  },
  {
    bad: 'an account with a role that is no ARN',
    account: { roleArn: 'admin' },
    error: 'InvalidValue',
    says: /^The aws-account.*: Role to assume \(roleArn\) must be the ARN of a role.*"admin"/
  },
  {
    bad: 'an account with a role that there is not',
    account: { roleArn: 'arn:aws:iam::111111111111:role/nobody' },
    error: 'AccessDenied',
    says: /not authorized to perform: sts:AssumeRole/
  },
  {
    bad: 'an account whose External ID is too short',
    account: { roleArn: 'arn:aws:iam::111111111111:role/nimbus-external' },
    credentials: { ...keys, externalId: 'x' },
    error: 'InvalidValue',
    says: /^The aws-account.*: External ID \(externalId\) must be 2 to 1224/
  },
  {
    bad: 'an account with a duration under the limit',
    account: { roleArn: 'arn:aws:iam::111111111111:role/nimbus-demo', duration: 60 },
    error: 'InvalidValue',
    says: /^The aws-account.*: Duration must be a whole number from 900 to 43200, but is 60/
  },
  {
    bad: 'an account with an endpoint that is no URL',
    account: { endpoint: 'localhost:4566' },
    error: 'InvalidValue',
    says: /^The aws-account.*: Endpoint must be a URL such as .*"localhost:4566"/
  },
  {
    bad: 'an account with a password in its endpoint',
    account: { endpoint: 'http://user:pass@127.0.0.1:9' },
    error: 'InvalidValue',
    says: /^The aws-account.*: Endpoint must be a URL .*without a user name in it, but is "http:\/\/\*\*\*@127\.0\.0\.1:9"/
  },
  {
    bad: 'an account with a key that AWS does not know',
    credentials: { ...keys, accessKeyId: 'AKIANOBODY0000000000' },
    error: 'UnrecognizedClientException',
    says: /^AWS does not know this access key ID.*token .*invalid/,
    requests: 1
  },
  {
    bad: 'an account with a wrong secret',
    credentials: { ...keys, secretAccessKey: 'wrong'.repeat(8) },
    error: 'InvalidSignatureException',
    says: /^The secret access key is wrong, or the clock of this machine\. \(.*signature you provided/,
    requests: 1
  },
  {
    bad: 'an account that is allowed nothing',
    credentials: keysOf('limited'),
    error: 'AccessDeniedException',
    says: /user\/limited is not authorized to perform: lambda:InvokeFunction on resource: .*hello/,
    requests: 1
  }
];

/** A server that speaks no HTTP, or nothing at all: what it does with each connection. */
const callbacks: Row[] = [
  {
    bad: 'a message without the ID of a callback',
    error: 'MissingValue',
    says: /^Callback ID \(callbackId\) is required, but msg\.callbackId has no value/
  },
  {
    bad: 'an ID that climbs out of its path',
    msg: { payload: 'kept', callbackId: '../../2015-03-31/functions' },
    error: 'InvalidValue',
    says: /^Callback ID \(callbackId\) must be .*"\.\.\/\.\./
  },
  {
    bad: 'a list of IDs',
    msg: { payload: 'kept', callbackId: ['YQ==', 'Yg=='] },
    error: 'InvalidValue',
    says: /^Callback ID \(callbackId\) must be .*, but is an array/
  },
  {
    bad: 'an ID of 1,025 characters',
    msg: { payload: 'kept', callbackId: 'a'.repeat(1025) },
    error: 'InvalidValue',
    says: /^Callback ID \(callbackId\) may have at most 1024 characters, but has 1025/
  },
  {
    bad: 'a result that contains itself',
    node: from('result', 'msg', 'req'),
    msg: () => ({ ...circular(), callbackId: 'YQ==' }),
    error: 'InvalidValue',
    says: /^Result cannot be written as JSON: it contains itself/
  },
  {
    bad: 'a result just over 1 MB',
    msg: { payload: 'x'.repeat(1_048_575), callbackId: 'YQ==' },
    error: 'InvalidValue',
    says: /^Result has 1048577 bytes, but may have at most 1048576/
  },
  {
    bad: 'a failure without an error',
    node: { action: 'failure' },
    msg: { payload: 'kept', callbackId: 'YQ==' },
    error: 'MissingValue',
    says: /^Error is required, but msg\.error has no value/
  },
  ...wrongTypes(
    'error',
    { 'a number': 7, null: null, 'an array': ['out of paper'], 'a function': () => 'no' },
    (shown) => new RegExp(`^Error must be text, .*, but is ${shown}\\.`)
  ).map((row) => ({
    ...row,
    bad: row.bad.replace(/^a /, 'an '),
    node: { ...row.node, action: 'failure', ...from('callbackId', 'str', 'YQ==') }
  })),
  {
    bad: 'an error that tells of nothing',
    node: { action: 'failure' },
    msg: { payload: 'kept', callbackId: 'YQ==', error: { reason: 'no' } },
    error: 'InvalidValue',
    says: /^Error is an object without errorType, errorMessage, errorData or stackTrace/
  },
  {
    bad: 'an error whose message throws',
    node: { action: 'failure' },
    msg: () => {
      const trap = () => {
        throw new TypeError('a trap');
      };
      return { payload: 'kept', callbackId: 'YQ==', error: Object.defineProperty({}, 'message', { get: trap }) };
    },
    error: 'InvalidValue',
    says: /^Error cannot be read: a trap/
  },
  {
    bad: 'an error whose trace is a number',
    node: { action: 'failure' },
    msg: { payload: 'kept', callbackId: 'YQ==', error: { errorMessage: 'no', stackTrace: 7 } },
    error: 'InvalidValue',
    says: /stackTrace.* must be text or an array of its lines, but is a number/
  },
  {
    bad: 'an error of more than 1 MB in all',
    node: { action: 'failure' },
    msg: {
      payload: 'kept',
      callbackId: 'YQ==',
      error: { errorMessage: 'x'.repeat(600_000), errorData: 'x'.repeat(600_000) }
    },
    error: 'InvalidValue',
    says: /^Error has 1200000 bytes, but may have at most 1048576/
  },
  {
    bad: 'an ID that nobody has given',
    msg: { payload: 'kept', callbackId: 'bm9ib2R5' },
    error: 'InvalidParameterValueException',
    says: /Invalid callback id/,
    requests: 1
  },
  {
    bad: 'a page of HTML in place of the empty answer',
    msg: { payload: 'kept', callbackId: 'YQ==' },
    fault: { kind: 'html', operation: 'SendDurableExecutionCallbackSuccess' },
    error: 'UnknownError',
    says: /is not from AWS/,
    retryable: true,
    requests: 3
  },
  {
    bad: 'the answer of another server, which says that all is well',
    account: async () => ({
      endpoint: `http://${await listenWith((socket) =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"ok"}')
      )}`
    }),
    msg: { payload: 'kept', callbackId: 'YQ==' },
    error: 'UnknownError',
    says: /is not from AWS/
  }
];

const servers: Server[] = [];
const listenWith = (talk: (socket: Socket) => void): Promise<string> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      talk(socket);
    });
    servers.push(server);
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '');
    });
  });

/** An address where nothing listens: that of a server which has just gone. */
async function closedPort(): Promise<string> {
  const address = await listenWith(() => undefined);
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return address;
}

const networks: Row[] = [
  {
    bad: 'an endpoint where nothing listens',
    account: async () => ({ endpoint: `http://${await closedPort()}` }),
    error: 'ECONNREFUSED',
    says: /Nothing answers at the address of the service: check the endpoint/,
    retryable: true
  },
  {
    bad: 'an endpoint whose host does not exist',
    account: { endpoint: 'http://aws.invalid' },
    error: 'ENOTFOUND',
    says: /not found: check the network, the region and the endpoint.*aws\.invalid/,
    retryable: true
  },
  {
    bad: 'an endpoint that speaks no HTTP',
    account: async () => ({ endpoint: `http://${await listenWith((socket) => socket.end('SSH-2.0-x\r\n'))}` }),
    error: 'HPE_INVALID_CONSTANT',
    says: /is not HTTP.*check the endpoint/
  },
  {
    bad: 'an endpoint that speaks no TLS',
    account: async () => ({
      endpoint: `https://${await listenWith((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))}`
    }),
    error: 'EPROTO',
    says: /TLS.*check the endpoint/
  },
  {
    bad: 'an endpoint by a name with nobody behind it',
    account: async () => ({ endpoint: `http://${(await closedPort()).replace('127.0.0.1', 'localhost')}` }),
    error: 'ECONNREFUSED',
    says: /Nothing answers at the address of the service: check the endpoint/,
    retryable: true
  },
  {
    bad: 'an endpoint that hangs up',
    account: async () => ({
      endpoint: `http://${await listenWith((socket) => socket.once('data', () => socket.destroy()))}`
    }),
    error: 'ECONNRESET',
    says: /The connection broke before the answer came; the request may have been carried out/,
    retryable: true
  }
];

const answers: Row[] = [
  {
    bad: 'a service that throttles',
    fault: { kind: 'throttle', times: 1 },
    error: 'TooManyRequestsException',
    says: /Rate Exceeded/,
    retryable: true,
    requests: 1
  },
  {
    bad: 'a service that throttles for longer than there are retries',
    node: { retries: 2 },
    fault: { kind: 'throttle', operation: 'Invoke', times: 3 },
    error: 'TooManyRequestsException',
    says: /Rate Exceeded/,
    retryable: true,
    requests: 3
  },
  {
    bad: 'a service that fails',
    node: { retries: 3 },
    fault: { kind: 'error500', times: 1 },
    error: 'ServiceException',
    says: /error occurred/,
    retryable: true,
    requests: 1
  },
  {
    bad: 'a service that is unavailable',
    node: { retries: 3 },
    fault: { kind: 'error503', times: 1 },
    error: 'ServiceUnavailableException',
    says: /unable to handle request/,
    retryable: true,
    requests: 1
  },
  ...[502, 503].map(
    (status): Row => ({
      bad: `a proxy that answers with a page of HTML and ${status}`,
      node: { retries: 3 },
      fault: { kind: 'html', status, times: 1 },
      error: 'UnknownError',
      says: new RegExp(`The answer \\(HTTP ${status}\\) .*proxy.*check the endpoint`),
      retryable: true,
      requests: 1
    })
  ),
  {
    bad: 'a proxy that refuses with a page of HTML and 403',
    fault: { kind: 'html', status: 403, times: 1 },
    error: 'UnknownError',
    says: /The answer \(HTTP 403\) .*proxy.*check the endpoint/,
    requests: 1
  },
  {
    bad: 'a session that has expired',
    fault: { kind: 'expired', times: 1 },
    error: 'ExpiredTokenException',
    says: /no longer valid: sign in again.*expired/,
    requests: 1
  },
  {
    bad: 'a connection that breaks before the work',
    node: { retries: 3 },
    fault: { kind: 'resetBefore', times: 1 },
    error: 'ECONNRESET',
    says: /connection broke before the answer came; the request may have been carried out/,
    retryable: true,
    requests: 1
  },
  {
    bad: 'a connection that breaks after the work',
    node: { retries: 3 },
    fault: { kind: 'resetAfter', times: 1 },
    error: 'ECONNRESET',
    says: /connection broke before the answer came; the request may have been carried out/,
    retryable: true,
    requests: 1,
    invocations: 1
  },
  {
    bad: 'an answer that is cut short',
    node: { retries: 3 },
    fault: { kind: 'truncate', times: 1 },
    error: 'ECONNRESET',
    says: /connection broke before the answer came; the request may have been carried out/,
    retryable: true,
    requests: 1,
    invocations: 1
  },
  {
    bad: 'a service that does not answer',
    node: { timeout: 0.3, retries: 3 },
    fault: { kind: 'hang', times: 1 },
    error: 'Timeout',
    says: /no answer within the timeout of 0\.3 s; the request may have been carried out/,
    retryable: true,
    requests: 1
  },
  {
    bad: 'a service that works and does not answer',
    node: { timeout: '0.6', retries: 3 },
    fault: { kind: 'hangAfter', times: 1 },
    error: 'Timeout',
    says: /no answer within the timeout of 0\.6 s/,
    retryable: true,
    requests: 1,
    invocations: 1
  },
  {
    bad: 'a function that fails with a text of 200 KB in two lines',
    node: { functionName: 'fails' },
    msg: () => ({ payload: { sensor: `one\ntwo ${'x'.repeat(200_000)}` } }),
    error: 'FunctionError',
    says: /^The function fails failed: SensorOffline: The sensor one two x+…$/,
    requests: 1,
    invocations: 1
  },
  {
    bad: 'a function whose answer is over the limit',
    node: { functionName: 'returns-much' },
    msg: () => ({ payload: {} }),
    error: 'FunctionError',
    says: /Response payload size exceeded maximum allowed payload size \(6291556 bytes\)/,
    requests: 1,
    invocations: 1
  }
];

const prototypes: Row[] = [
  {
    bad: 'a functionName from a path through __proto__',
    node: functionFrom('msg', '__proto__.polluted'),
    error: 'MissingValue',
    says: /Function \(functionName\) .*msg\.__proto__\.polluted has no value/
  },
  {
    bad: 'a functionName from msg.constructor',
    node: functionFrom('msg', 'constructor'),
    error: 'InvalidValue',
    says: /^Function \(functionName\) must be .*, but is a function/
  },
  {
    bad: 'a payload from msg.constructor',
    node: payloadFrom('msg', 'constructor'),
    error: 'InvalidValue',
    says: /^Payload cannot be written as JSON: it is a function/
  },
  {
    bad: 'a message with a __proto__ of its own',
    node: functionFrom('msg', 'payload.polluted'),
    msg: () => ({
      payload: JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {}}}') as unknown
    }),
    error: 'MissingValue',
    says: /Function \(functionName\) .*msg\.payload\.polluted has no value/
  }
];

const maxItemsSays = (shown: string) =>
  new RegExp(`^Page size \\(maxItems\\) must be a whole number from 1 to 50, but is ${shown}`);

const listRows: Row[] = [
  ...Object.entries({
    '0': 0,
    '51': 51,
    '1\\.5': 1.5,
    NaN: Number.NaN,
    Infinity: Number.POSITIVE_INFINITY,
    '"ten"': 'ten',
    '" "': ' ',
    true: true,
    'an object': {},
    'an array': [5],
    'a Buffer': Buffer.from('5'),
    'a bigint': 5n
  }).map(
    ([shown, value]): Row => ({
      bad: `a maxItems of ${shown.replace('\\', '')}`,
      node: from('maxItems', 'msg', 'most'),
      msg: () => ({ payload: 'kept', most: value }),
      error: 'InvalidValue',
      says: maxItemsSays(shown)
    })
  ),
  {
    bad: 'a maxItems that is text in the node',
    node: { maxItems: 'ten', maxItemsType: 'num' },
    error: 'InvalidValue',
    says: /^Page size \(maxItems\) must be a .*number.*, but is "ten"/
  },
  ...wrongTypes('marker', notTextNorNull, (shown) => new RegExp(`^Marker must be text, but is ${shown}\\.`), {}).map(
    (row) => ({ ...row, node: { ...row.node, scope: 'page' } })
  ),
  {
    bad: 'a marker that AWS did not give',
    node: { scope: 'page' },
    msg: { payload: 'kept', marker: '__proto__' },
    error: 'InvalidParameterValueException',
    says: /Invalid Marker/,
    requests: 1
  },
  {
    bad: 'a scope that there is not',
    node: { scope: 'some' },
    error: 'InvalidValue',
    says: /^Get \(scope\) must be one of all, page, but is "some"/
  },
  {
    bad: 'an allVersions that is neither true nor false',
    node: { allVersions: 'yes' },
    error: 'InvalidValue',
    says: /^Include every version \(allVersions\) must be true or false, but is "yes"/
  },
  {
    bad: 'a region that is a host',
    node: from('region', 'str', 'evil.example'),
    error: 'InvalidValue',
    says: /^Region must be a region name such as eu-west-1, but is "evil\.example"/
  },
  { bad: 'no account', node: { account: '' }, error: 'AccountMissing', says: /aws-account .*choose one/ },
  {
    bad: 'an account that is allowed nothing',
    credentials: keysOf('limited'),
    error: 'AccessDeniedException',
    says: /user\/limited is not authorized to perform: lambda:ListFunctions/,
    requests: 1
  },
  {
    bad: 'a service that throttles for longer than the SDK tries',
    fault: { kind: 'throttle', times: 3 },
    error: 'TooManyRequestsException',
    says: /Rate Exceeded/,
    retryable: true,
    requests: 3
  },
  {
    bad: 'a page of HTML in place of the list',
    fault: { kind: 'html', status: 200, times: 1 },
    error: 'UnknownError',
    says: /The answer \(HTTP 200\) .*proxy.*check the endpoint/,
    requests: 1
  },
  {
    bad: 'an answer that is broken JSON',
    fault: { kind: 'badJson', times: 1 },
    error: 'UnknownError',
    says: /The answer \(HTTP 200\) .*proxy.*check the endpoint/,
    requests: 1
  },
  {
    bad: 'an answer that is cut short each time',
    fault: { kind: 'truncate', times: 3 },
    error: 'ECONNRESET',
    says: /connection broke before the answer came/,
    retryable: true,
    requests: 3
  }
];

const isText = (value: unknown): value is string => typeof value === 'string';

/** What holds for every error of every node. */
function operationOf({ list, callback, node }: Row): string {
  if (callback) return `SendDurableExecutionCallback${node?.action === 'failure' ? 'Failure' : 'Success'}`;
  return list ? 'ListFunctions' : 'Invoke';
}

function judge(row: Row, { error, done, sent, statuses }: Outcome): void {
  assert.equal(done, 1, 'done');
  assert.deepEqual(sent, [], 'sent');
  assert.ok(error instanceof Error);
  const { name, code, message, service, operation, retryable } = error;
  assert.equal(name, row.error, message);
  assert.equal(code, row.error);
  assert.match(message, row.says);
  // It stands behind its name.
  if (isNetworkCode(name)) assert.ok(!message.includes(name), message);
  assert.ok(message.length <= longestText, `a text of ${message.length} characters`);
  assert.doesNotMatch(message, /\p{Cc}|\bat \S+:\d+:\d+|\[object|\bundefined\b/u);
  assert.equal(service, 'lambda');
  assert.equal(operation, operationOf(row));
  assert.equal(retryable, row.retryable ?? false);
  assertFailed(statuses.at(-1), error);
  for (const [member, text] of Object.entries(error).filter(([, value]) => isText(value))) {
    assert.ok(!(text as string).includes(keys.secretAccessKey), `the secret is in error.${member}`);
  }
}

/** Only requests to Lambda: a role asks STS first. */
async function count({ aws }: Bench): Promise<{ requests: number; invocations: number }> {
  const [requests, invocations] = await Promise.all([aws.requests(), aws.invocations()]);
  return { requests: requests.filter(({ service }) => service === 'lambda').length, invocations: invocations.length };
}

async function deployRow(row: Row): Promise<void> {
  const { red } = bench;
  const properties = typeof row.account === 'function' ? await row.account() : row.account;
  const make = row.callback ? callbackNode : row.list ? listNode : invokeNode;
  const bad = make({ id: 'bad', wires: [['out']], ...row.node });
  const flow: FlowNode[] = [
    account(bench, properties),
    account(bench, { id: 'good-account' }),
    bad,
    invokeNode({ id: 'good', account: 'good-account' }),
    sink('out')
  ];
  await red.deploy(flow, { credentials: { account: row.credentials ?? keys, 'good-account': keys } });
}

async function check(row: Row): Promise<void> {
  const { red, aws } = bench;
  await deployRow(row);
  await row.before?.(aws);
  if (row.fault) await aws.fault(row.fault);

  const given = typeof row.msg === 'function' ? row.msg() : (row.msg ?? { payload: 'kept' });
  const { payload } = given;
  const outcome = await red.send('bad', given);

  judge(row, outcome);
  assert.equal(outcome.msg.payload, payload, 'msg.payload is what came in');
  assert.equal('aws' in outcome.msg, false, 'msg.aws is not there');
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  const { requests = 0, invocations = 0 } = row;
  assert.deepEqual(await count(bench), { requests, invocations });

  await aws.settings({ clockAheadSeconds: null });
  const next = await red.send('good', { payload: { name: 'Ada' } });
  assert.deepEqual(next.sent[0]?.payload, { greeting: 'Hello, Ada!' });
  assert.equal(outcome.done, 1, 'the bad message ended a second time');
  assert.deepEqual(await count(bench), { requests: requests + 1, invocations: invocations + 1 });
}

describe('bad input', () => {
  // Nothing outside this machine is asked for credentials, and none are found in it.
  const surroundings = {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined
  };
  const before_: NodeJS.ProcessEnv = {};

  const set = (variables: NodeJS.ProcessEnv): void => {
    for (const [name, value] of Object.entries(variables)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };

  before(() => {
    for (const name of Object.keys(surroundings)) before_[name] = process.env[name];
    set(surroundings);
  });

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  after(() => set(before_));

  const groups: Record<string, Row[]> = {
    'which function': functionNames,
    expressions,
    'which version': qualifiers,
    payloads,
    'client contexts': contexts,
    'tenants and execution names': headers,
    'plain properties': settings,
    regions,
    'credentials of the message': logins,
    accounts,
    networks,
    answers,
    prototypes,
    'aws-lambda-list': listRows.map((row) => ({ ...row, list: true })),
    'aws-lambda-callback': callbacks.map((row) => ({ ...row, callback: true }))
  };
  for (const [group, rows] of Object.entries(groups)) {
    describe(group, () => {
      for (const row of rows) {
        it(`${row.bad} ends in one ${row.error}, and the next message passes`, () => check(row));
      }
    });
  }

  it('does not stop a node: among a hundred bad messages the good ones pass', async () => {
    await deployRow({
      bad: 'anything',
      node: { ...functionFrom('msg', 'to'), ...from('region', 'msg', 'place') }
    } as Row);
    const good = { to: 'hello', payload: { name: 'Ada' } };
    const bad: Message[] = [
      { ...good, to: undefined },
      { ...good, to: 7 },
      { ...good, to: [] },
      { ...good, place: 'evil.example' },
      { ...good, payload: 7n }
    ];
    const messages = Array.from({ length: 120 }, (_, index) =>
      index % 6 === 0 ? good : (bad[(index % 6) - 1] as Message)
    );
    const outcomes = await bench.red.sendMany('bad', messages);
    for (const [index, { done, sent, error }] of outcomes.entries()) {
      assert.equal(done, 1);
      if (index % 6 === 0) assert.deepEqual(sent[0]?.payload, { greeting: 'Hello, Ada!' });
      else assert.match(String(error?.name), /^(Missing|Invalid)Value$/);
    }
    assert.deepEqual(await count(bench), { requests: 20, invocations: 20 });
  });

  it('does not come of a clock that is late: the refused request is signed again with the time of the service', async () => {
    await bench.aws.settings({ clockAheadSeconds: 3600 });
    await deployRow({ bad: 'the clock' } as Row);
    const { sent } = await bench.red.send('bad', { payload: { name: 'Ada' } });
    assert.deepEqual(sent[0]?.payload, { greeting: 'Hello, Ada!' });
    assert.equal(sent[0]?.aws?.attempts, 2);
    assert.deepEqual(await count(bench), { requests: 2, invocations: 1 });
  });

  it('of an HTTP request as the payload, as it comes from an HTTP In node, is told and answered', async () => {
    await bench.red.deploy(
      [
        account(bench),
        { id: 'in', type: 'http in', url: '/invoke', method: 'get', wires: [['bad']] },
        invokeNode({ id: 'bad', ...payloadFrom('msg', 'req'), wires: [[]] }),
        { id: 'catch', type: 'catch', scope: ['bad'], uncaught: false, wires: [['says']] },
        {
          id: 'says',
          type: 'change',
          rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'error.message', tot: 'msg' }],
          wires: [['answer']]
        },
        { id: 'answer', type: 'http response', statusCode: '400' }
      ],
      { credentials: { account: keys } }
    );
    const answer = await bench.red.request('invoke');
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /^InvalidValue: Payload cannot be written as JSON: it contains itself/);
    assert.deepEqual(await count(bench), { requests: 0, invocations: 0 });
  });

  it('of a host that refuses at each of its addresses counts as one that could not be reached', async () => {
    const port = Number((await closedPort()).split(':')[1]);
    const refusal = await new Promise((resolve) => {
      const lookup: LookupFunction = (_host, _options, found) =>
        found(
          null,
          ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
        );
      connect({ host: 'aws.invalid', port, lookup, autoSelectFamily: true }).once('error', resolve);
    });
    assert.ok(refusal instanceof AggregateError);
    assert.equal(couldNotConnect(refusal), true);
    const { name, message } = toActionError(refusal, { secrets: [] });
    assert.equal(name, 'ECONNREFUSED');
    assert.match(message, /^Nothing answers [^()]*$/);
  });
});
