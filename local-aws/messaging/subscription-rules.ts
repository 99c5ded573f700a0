import { AwsError } from '../server/aws-error';
import type { ServiceCall } from '../server/call';

type Fields = Record<string, string | undefined>;

/**
 * A call that creates or changes a subscription, as fauxqs understands it: it accepts any endpoint, and knows `true` and
 * `false` only in lower case.
 *
 * @throws AwsError
 */
export function readSubscription(call: ServiceCall): ServiceCall {
  const fields = { ...(call.input as Fields) };
  if (call.operation === 'Subscribe') {
    checkEndpoint(fields);
    for (const [name, attribute] of Object.entries(fields)) {
      const value = /^Attributes\.entry\.\d+\.key$/.test(name) ? name.replace(/key$/, 'value') : '';
      if (attribute === 'RawMessageDelivery') fields[value] = flag('Attributes Reason: ', fields[value]);
    }
  } else if (fields.AttributeName === 'RawMessageDelivery') fields.AttributeValue = flag('', fields.AttributeValue);
  const body = new URLSearchParams(fields as Record<string, string>).toString();
  return { ...call, input: fields, body: Buffer.from(body) };
}

function checkEndpoint({ Protocol, Endpoint = '', TopicArn = '' }: Fields): void {
  // Separators are dropped, if they are not at the end or next to each other.
  if (Protocol === 'sms' && !/^\+?(\d[-./]?)*\d$/.test(Endpoint)) {
    throw new AwsError(400, 'InvalidParameter', `Invalid SMS endpoint: ${Endpoint}`);
  }
  if (Protocol !== 'sqs') return;
  if (!/^arn:[\w-]+:sqs:[\w-]+:\d{12}:./.test(Endpoint)) throw wrong('SQS endpoint ARN');
  if (Endpoint.endsWith('.fifo') && !TopicArn.endsWith('.fifo')) {
    // The service says it twice.
    throw wrong('Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics');
  }
}

function flag(where: string, value = ''): string {
  const flag = value.toLowerCase();
  if (flag === 'true' || flag === 'false') return flag;
  throw wrong(`${where}RawMessageDelivery: Invalid value [${value}]. Must be true or false.`);
}

const wrong = (text: string) => new AwsError(400, 'InvalidParameter', `Invalid parameter: ${text}`);
