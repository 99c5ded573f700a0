import { AwsError, escapeXml, xmlNamespace } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import { SqsError } from './sqs-rules';

/** A queue or topic in fauxqs, which has its own account number. */
interface Named {
  readonly arn: string;
}

const mostTopics = 100;
const mostQueues = 1000;

/** SNS's ListTopics, 100 a page. Throws AwsError. */
export function listTopics(call: ServiceCall, account: string, topics: Iterable<Named>): Answer {
  const { NextToken } = call.input as { NextToken?: string };
  const after = NextToken ? readToken(NextToken) : '';
  if (after === undefined) throw new AwsError(400, 'InvalidParameter', 'Invalid parameter: NextToken');
  const { page, next } = pageOf(namesIn(call.region, topics), after, mostTopics);
  const arns = page.map((name) => escapeXml(`arn:aws:sns:${call.region}:${account}:${name}`));
  const body = `<ListTopicsResponse xmlns="${xmlNamespace('sns')}">
  <ListTopicsResult>
    <Topics>${arns.map((arn) => `<member><TopicArn>${arn}</TopicArn></member>`).join('')}</Topics>
    ${next ? `<NextToken>${next}</NextToken>` : ''}
  </ListTopicsResult>
  <ResponseMetadata>
    <RequestId>${call.requestId}</RequestId>
  </ResponseMetadata>
</ListTopicsResponse>
`;
  return { status: 200, headers: { 'Content-Type': 'text/xml', 'x-amzn-RequestId': call.requestId }, body };
}

/** SQS's ListQueues. There is a next page only if the caller sets the length of pages. Throws SqsError. */
export function listQueues(call: ServiceCall, account: string, queues: Iterable<Named>): Answer {
  const { QueueNamePrefix = '', MaxResults, NextToken } = call.input as Record<string, unknown>;
  checkMaxResults(MaxResults);
  const after = NextToken ? readToken(String(NextToken)) : '';
  if (after === undefined) throw new SqsError('InvalidParameterValue', 'Invalid or expired next token.');
  const wanted = namesIn(call.region, queues).filter((name) => name.startsWith(String(QueueNamePrefix)));
  const { page, next } = pageOf(wanted, after, Number(MaxResults ?? mostQueues));
  const output = {
    ...(page.length > 0 ? { QueueUrls: page.map((name) => `http://${call.headers.host}/${account}/${name}`) } : {}),
    ...(next && MaxResults !== undefined ? { NextToken: next } : {})
  };
  const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'x-amzn-RequestId': call.requestId };
  return { status: 200, headers, body: JSON.stringify(output) };
}

function checkMaxResults(value: unknown): void {
  if (value === undefined) return;
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= mostQueues) return;
  const reason = 'MaxResults must be an integer between 1 and 1000.';
  throw new SqsError('InvalidParameterValue', `Value for parameter MaxResults is invalid. Reason: ${reason}`);
}

/** Those of a region: fauxqs keeps all regions together. */
function namesIn(region: string, all: Iterable<Named>): string[] {
  const parts = [...all].map(({ arn }) => arn.split(':'));
  return parts
    .filter((each) => each[3] === region)
    .map((each) => each[5] ?? '')
    .sort();
}

/** A token contains the last name of the page, so that nothing is skipped if something on an earlier page is deleted. */
function pageOf(names: readonly string[], after: string, size: number): { page: string[]; next: string | undefined } {
  const rest = names.filter((name) => name > after);
  const page = rest.slice(0, size);
  const next = rest.length > size ? Buffer.from(`after ${page.at(-1)}`).toString('base64') : undefined;
  return { page, next };
}

function readToken(token: string): string | undefined {
  return /^after (.+)$/.exec(Buffer.from(token, 'base64').toString('utf8'))?.[1];
}
