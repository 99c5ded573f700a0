import type { InvokeCommandInput, InvokeCommandOutput } from '@aws-sdk/client-lambda';
import { couldNotConnect } from '../account/network-failures';
import { wasThrottled } from '../account/retryable';
import type { Context, Result } from '../action/action';
import { defineAction } from '../action/define-action';
import { retry } from '../action/retry';
import { bytesIn } from '../fields/bytes';
import type { ActionError } from '../fields/errors';
import { foreignAnswer, invalid, ownError } from '../fields/errors';
import { checked, choice, flag, jsonText, many, optional, plainNumber, text } from '../fields/fields';
import { isObject, parseJson, present, stringify } from '../fields/json';
import { asLogEntry } from '../fields/lines';
import { textOf } from '../fields/thrown';
import { keepFields } from '../outbox/keep-fields';
import { keeping } from '../outbox/outbox';
import type { Route } from '../outbox/route';
import { hostContext } from './host';

/** Bytes, from the errors by which Lambda refuses larger ones. */
const payloadLimit = { RequestResponse: 6_291_556, DryRun: 6_291_556, Event: 1_048_576 };
/** Characters of the base64 text. */
const clientContextLimit = 3583;

/** As in Lambda's own model, but with any region, and without names such as `..`, which would be steps of a path. */
const functionPattern =
  /^(?:(?:arn:aws[a-z-]*:lambda:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?:)?\d{12}:)?(?:function:)?(?!\.+(?::|$))[\w.-]+(?::(?:\$LATEST(?:\.PUBLISHED)?|[\w-]+))?$/;

const synchronous = { invocationType: ['RequestResponse'] };

/** A client context as Lambda takes it: what has a `custom` object is one already, any other value is put into one. */
function contextOf(found: unknown, name: string): Record<string, unknown> {
  // A copy: the flow may go on changing it while a target waits for its turn.
  const value: unknown = JSON.parse(stringify(found, name, clientContextLimit));
  return isObject(value) && Object.hasOwn(value, 'custom') && isObject(value.custom) ? value : { custom: value };
}

export const fields = {
  functionName: many(
    text({
      pattern: functionPattern,
      is: 'the name of a function, name:alias, or its ARN',
      maxLength: 256,
      offers: 'functions',
      example: '"orders-" & $lowercase(payload.country)',
      icon: 'code'
    })
  ),
  qualifier: optional(
    text({
      pattern: /^[A-Za-z0-9$_-]+$/,
      is: 'a version number, $LATEST or an alias',
      maxLength: 128,
      numbers: true,
      offers: 'qualifiers',
      example: 'payload.test ? "test" : "live"',
      icon: 'code-fork'
    })
  ),
  invocationType: choice(['RequestResponse', 'Event', 'DryRun'], { icon: 'exchange' }),
  payload: jsonText(payloadLimit.RequestResponse, {
    value: 'payload',
    from: 'msg',
    example: '{ "order": payload.id, "time": $now() }',
    icon: 'envelope'
  }),
  clientContext: optional(
    checked(contextOf, { when: synchronous, advanced: true, example: '{ "device": topic }', icon: 'info-circle' })
  ),
  hostContext: flag(false, { when: synchronous, advanced: true }),
  logTail: flag(false, { when: synchronous }),
  functionError: choice(['error', 'output'], { when: synchronous, icon: 'exclamation-triangle' }),
  tenantId: optional(
    text({
      pattern: /^[\w.:/=+@ -]+$/,
      is: 'letters, digits, blanks and . _ : / = + - @',
      maxLength: 256,
      numbers: true,
      advanced: true,
      example: 'payload.customer',
      icon: 'users'
    })
  ),
  durableName: optional(
    text({
      pattern: /^[\w-]+$/,
      is: 'letters, digits, hyphens and underscores',
      maxLength: 64,
      numbers: true,
      advanced: true,
      example: '"order-" & payload.id',
      icon: 'tag'
    })
  ),
  timeout: plainNumber(900, { min: 0.001, max: 3600, takes: 'seconds', advanced: true, icon: 'clock-o' }),
  retries: plainNumber(0, { min: 0, max: 10, integer: true, advanced: true, icon: 'repeat' }),
  ...keepFields({ invocationType: ['Event'] })
};

type Invocation = Context<'lambda', typeof fields>;

function checkSize({ invocationType, payload }: Invocation['inputs']): string | Buffer {
  const limit = payloadLimit[invocationType];
  const bytes = Buffer.byteLength(payload);
  if (bytes > limit) {
    throw invalid(
      'payload',
      `has ${bytes} bytes, but ${invocationType} takes at most ${limit}: put larger data into S3 and send its key.`
    );
  }
  return payload;
}

const hasContext = ({ clientContext, hostContext }: Invocation['inputs']): boolean =>
  clientContext !== undefined || hostContext;

async function clientContext({ inputs, RED, node }: Invocation): Promise<string> {
  const context = { ...inputs.clientContext, ...(inputs.hostContext && { host: await hostContext(RED, node) }) };
  const encoded = Buffer.from(stringify(context, 'clientContext', clientContextLimit)).toString('base64');
  if (encoded.length > clientContextLimit) {
    throw invalid(
      'clientContext',
      `has ${encoded.length} characters in base64, but may have at most ${clientContextLimit}.`
    );
  }
  return encoded;
}

/** An invocation may be sent again only where the function cannot have run. */
const cannotHaveRun = (error: unknown): boolean => wasThrottled(error) || couldNotConnect(error);

/**
 * The input of a request. Throws `InvalidValue` for a payload that is too large. In one object literal: members that are added
 * to a copy cost several µs a message.
 */
const inputOf = (inputs: Invocation['inputs'], clientContext?: string) => ({
  FunctionName: inputs.functionName,
  InvocationType: inputs.invocationType,
  Qualifier: inputs.qualifier,
  Payload: checkSize(inputs),
  TenantId: inputs.tenantId,
  DurableExecutionName: inputs.durableName,
  ClientContext: clientContext,
  LogType: inputs.logTail ? ('Tail' as const) : undefined
});

function invoke({ sdk, inputs, send, hold, message }: Invocation, context: string | undefined) {
  const input = inputOf(inputs, context);
  const options = { times: inputs.retries, when: cannotHaveRun, message };
  return hold(Buffer.byteLength(inputs.payload), () => retry(() => send(new sdk.InvokeCommand(input)), options));
}

/** How a function describes its failure. Each runtime has its own name for the stack trace. */
interface Told {
  errorType?: unknown;
  errorMessage?: unknown;
  message?: unknown;
  stackTrace?: unknown;
  trace?: unknown;
}

/** What the runtime, or the function itself, says about a failure; a body that is no object is the message. */
function toldBy(body: string | undefined): Told {
  const value = parseJson(body)?.value;
  if (typeof value === 'object') return value ?? {};
  return { errorMessage: typeof value === 'string' ? value : body };
}

function functionError(name: string, kind: string, body: string | undefined, log: string | undefined): ActionError {
  const told = toldBy(body);
  const errorType = typeof told.errorType === 'string' ? told.errorType : undefined;
  const errorMessage = told.errorMessage ?? told.message ?? '';
  const reason = errorMessage === '' ? 'it gave no reason' : textOf(errorMessage);
  const extra = { errorType: errorType ?? kind, errorMessage, stackTrace: told.stackTrace ?? told.trace, log };
  const message = `The function ${name} failed: ${errorType ? `${errorType}: ` : ''}${reason}`;
  return ownError('FunctionError', message, { extra, cause: { functionError: kind, ...extra } });
}

/** Whether a status means that there is no result: the event was queued, or the dry run succeeded. */
const saysNothing = (status: number | undefined, invocationType: string): boolean =>
  status === 202 || (status === 204 && invocationType === 'DryRun');

/**
 * Whether an answer is from Lambda, which gives the request an ID and names the version that ran. Local substitutes may
 * do neither. Their answers have what the function returned, as JSON, if the invocation is synchronous; otherwise their
 * status says that there is no result.
 */
function isOfLambda(output: InvokeCommandOutput, invocationType: string, body: string | undefined): boolean {
  const { $metadata, StatusCode, ExecutedVersion, FunctionError } = output;
  if (($metadata.requestId ?? ExecutedVersion ?? FunctionError) !== undefined) return true;
  if (body === undefined) return saysNothing(StatusCode, invocationType);
  return StatusCode === 200 && invocationType === 'RequestResponse' && parseJson(body) !== undefined;
}

/** The text in an answer. Throws `UnknownError` if it is not Lambda's. */
function bodyOf(output: InvokeCommandOutput, invocationType: string): string | undefined {
  const { StatusCode, Payload } = output;
  const text = Payload && Payload.length > 0 ? bytesIn(Payload)?.toString() : undefined;
  if (!isOfLambda(output, invocationType, text)) throw foreignAnswer(StatusCode, text);
  return text;
}

/** How events that are kept are sent: each alone, since Lambda has no batches. */
const route: Route<'lambda', typeof fields> = {
  service: 'lambda',
  outgoing(inputs) {
    const entry = inputOf(inputs);
    return { entry, bytes: Buffer.byteLength(entry.Payload) };
  },
  capacity: () => ({ entries: 1, bytes: payloadLimit.Event, requests: 10 }),
  async send({ sdk, request }, _, [entry], tell) {
    const output = await request(new sdk.InvokeCommand(entry as InvokeCommandInput));
    const { StatusCode, ExecutedVersion, DurableExecutionArn } = output;
    const answer = { StatusCode, Payload: bodyOf(output, 'Event') };
    const result: Result = {
      parsed: () => present(answer),
      raw: () => present({ ...answer, ExecutedVersion }),
      aws: { executedVersion: ExecutedVersion, durableExecutionArn: DurableExecutionArn }
    };
    tell(0, { result, metadata: output.$metadata });
  }
};

export const node = /* @__PURE__ */ defineAction({
  type: 'aws-lambda-invoke',
  service: 'lambda',
  operation: 'Invoke',
  fields,
  maxAttempts: 1,
  timeout: ({ timeout }) => timeout,
  trial: { logTail: true },
  keeper: /* @__PURE__ */ keeping(route),
  async run(context) {
    const { inputs, node, redact } = context;
    const carried = hasContext(inputs) ? await clientContext(context) : undefined;
    const output = await invoke(context, carried);
    const { StatusCode, ExecutedVersion, FunctionError, LogResult, DurableExecutionArn } = output;
    const text = bodyOf(output, inputs.invocationType);
    // Only errors are redacted: what a function returns belongs to the flow.
    const body = FunctionError && text !== undefined ? redact(text) : text;
    const log = LogResult === undefined ? undefined : redact(Buffer.from(LogResult, 'base64').toString());
    if (log !== undefined) node.log(asLogEntry(log));
    const answer = parseJson(body);
    if (FunctionError && inputs.functionError === 'error') {
      throw functionError(inputs.functionName, FunctionError, body, log);
    }
    const members = { StatusCode, Payload: body, ExecutedVersion, FunctionError, LogResult: log };
    return {
      parsed: () => (answer ? answer.value : present({ StatusCode, Payload: body })),
      raw: () => present(members),
      aws: {
        executedVersion: ExecutedVersion,
        functionError: FunctionError,
        log,
        durableExecutionArn: DurableExecutionArn
      }
    };
  }
});
