import type { Answer, ServiceCall } from './call';
import { isModelled } from './schema';
import type { Principal } from './sign-ins';

interface Details {
  /** Other members of a JSON error, such as `Type` and `Reason`. */
  readonly fields?: Record<string, string>;
  readonly headers?: Record<string, string>;
  /** Some errors have `Message` instead of `message`. */
  readonly capital?: boolean;
  /** SQS has another name for the same error in its older protocol. */
  readonly queryCode?: string;
}

/** An error that a service answers with. */
export class AwsError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Details = {}
  ) {
    super(message);
    this.name = 'AwsError';
  }
}

/** The error for values that the service's model does not allow; one text for all violations. */
export function validationError(code: string, violations: readonly string[]): AwsError {
  const count = violations.length === 1 ? '1 validation error' : `${violations.length} validation errors`;
  return new AwsError(400, code, `${count} detected: ${violations.join('; ')}`);
}

/** A violation in AWS's words: `Value 'x' at 'y' failed to satisfy constraint: …`. */
export function violation(value: string | undefined, member: string, constraint: string): string {
  const shown = value === undefined ? 'null' : `'${value}'`;
  return `Value ${shown} at '${member}' failed to satisfy constraint: Member must ${constraint}`;
}

/** The error for an operation that AWS does not have or that is not implemented here. */
export function unknownOperation({ service, protocol, operation, method, path }: ServiceCall): AwsError {
  const text = `The local AWS does not know the operation ${operation || `${method} ${path}`} of ${service || 'any service'}.`;
  if (protocol === 'query') return new AwsError(400, 'InvalidAction', text);
  const details = protocol === 'json-1.0' ? { queryCode: 'InvalidAction' } : {};
  return new AwsError(protocol === 'rest-json' ? 404 : 400, 'UnknownOperationException', text, details);
}

/** Lambda's error for a principal without the right to do something; `reason` in AWS's words. */
export function denied(principal: Principal, action: string, resource: string, reason: string): AwsError {
  return new AwsError(
    403,
    'AccessDeniedException',
    `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
    { capital: true }
  );
}

/** The answer for an error, in the protocol of the call. */
export function errorAnswer(call: ServiceCall, error: AwsError): Answer {
  const render = { 'rest-json': restJson, query, 'json-1.0': json10, 'json-1.1': json11 }[call.protocol];
  return { ...render(call, error), errorCode: error.code };
}

function restJson(call: ServiceCall, error: AwsError): Answer {
  const { fields, headers, capital } = error.details;
  return {
    status: error.status,
    headers: {
      'Content-Type': 'application/json',
      'x-amzn-RequestId': call.requestId,
      'x-amzn-ErrorType': error.code,
      ...headers
    },
    body: JSON.stringify({ ...fields, [capital ? 'Message' : 'message']: error.message })
  };
}

function json10(call: ServiceCall, error: AwsError): Answer {
  const side = error.status < 500 ? 'Sender' : 'Receiver';
  const { queryCode } = error.details;
  const modelled = queryCode === undefined || isModelled(call.service, error.code);
  const namespace = modelled ? `com.amazonaws.${call.service}` : 'com.amazon.coral.service';
  return {
    status: error.status,
    headers: {
      'Content-Type': 'application/x-amz-json-1.0',
      'x-amzn-RequestId': call.requestId,
      'x-amzn-query-error': `${queryCode ?? error.code};${side}`,
      ...error.details.headers
    },
    body: JSON.stringify({ __type: `${namespace}#${error.code}`, message: error.message })
  };
}

function json11(call: ServiceCall, error: AwsError): Answer {
  const { code, message } = error;
  return {
    status: error.status,
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'x-amzn-RequestId': call.requestId,
      ...error.details.headers
    },
    body: JSON.stringify({ __type: code, Code: code, Logref: call.requestId, Message: message })
  };
}

const namespaces: Record<string, string> = {
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
  sns: 'http://sns.amazonaws.com/doc/2010-03-31/',
  sqs: 'http://queue.amazonaws.com/doc/2012-11-05/'
};

/** The XML namespace of a service that speaks the query protocol. */
export function xmlNamespace(service: string): string {
  return namespaces[service] ?? `http://${service}.amazonaws.com/`;
}

function query(call: ServiceCall, error: AwsError): Answer {
  const side = error.status < 500 ? 'Sender' : 'Receiver';
  const body = `<ErrorResponse xmlns="${xmlNamespace(call.service)}">
  <Error>
    <Type>${side}</Type>
    <Code>${escapeXml(error.code)}</Code>
    <Message>${escapeXml(error.message)}</Message>
  </Error>
  <RequestId>${call.requestId}</RequestId>
</ErrorResponse>
`;
  return {
    status: error.status,
    headers: { 'Content-Type': 'text/xml', 'x-amzn-RequestId': call.requestId, ...error.details.headers },
    body
  };
}

/** Escapes text for XML. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => names[character] ?? character);
}
