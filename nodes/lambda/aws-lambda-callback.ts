import type { ErrorObject } from '@aws-sdk/client-lambda';
import type { Context } from '../action/action';
import { defineAction } from '../action/define-action';
import { invalid } from '../fields/errors';
import { checked, choice, jsonText, kindOf, text, unlessMissing } from '../fields/fields';
import { checkLength, toText } from '../fields/json';

/** Bytes of a result, and of all members of an error together; from Lambda's own documentation. */
const limit = 1_048_576;

const operations = {
  success: 'SendDurableExecutionCallbackSuccess',
  failure: 'SendDurableExecutionCallbackFailure',
  heartbeat: 'SendDurableExecutionCallbackHeartbeat'
} as const;

/** What tells of an error: in Lambda's own words, or in those of an Error and of what a Catch node gives. */
type Told = Partial<
  Record<'errorType' | 'errorMessage' | 'errorData' | 'stackTrace' | 'name' | 'code' | 'message' | 'stack', unknown>
>;

const textIn = (value: unknown, name: string): string | undefined =>
  value === undefined || value === null ? undefined : toText(value, name, limit);

/** The lines of a trace, which is a text or a list of them. */
function linesIn(trace: unknown, name: string): string[] | undefined {
  if (trace === undefined || trace === null) return undefined;
  if (typeof trace === 'string') return trace.split(/\r?\n/);
  if (!Array.isArray(trace)) throw invalid(name, `must be text or an array of its lines, but is ${kindOf(trace)}.`);
  checkLength(trace, name, limit);
  return Array.from(trace, (line: unknown) => toText(line ?? '', name, limit));
}

/** An error as Lambda takes it. Throws `InvalidValue` for what tells of none. */
function errorIn(found: unknown, name: string): ErrorObject {
  if (typeof found === 'string') return { ErrorMessage: found };
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw invalid(name, `must be text, an object that tells of an error, or an Error, but is ${kindOf(found)}.`);
  }
  const told = found as Told;
  const error = {
    ErrorType: textIn(told.errorType ?? (told.name || told.code), `${name}.errorType`),
    ErrorMessage: textIn(told.errorMessage ?? told.message, `${name}.errorMessage`),
    ErrorData: textIn(told.errorData, `${name}.errorData`),
    StackTrace: linesIn(told.stackTrace ?? told.stack, `${name}.stackTrace`)
  };
  if (Object.values(error).some((member) => member !== undefined)) return error;
  throw invalid(name, 'is an object without errorType, errorMessage, errorData or stackTrace.');
}

const fields = {
  callbackId: text({
    value: 'callbackId',
    from: 'msg',
    pattern: /^[A-Za-z\d+/]+={0,2}$/,
    is: 'the ID of a callback, as the function got it',
    maxLength: 1024,
    icon: 'reply'
  }),
  action: choice(['success', 'failure', 'heartbeat'], { icon: 'check' }),
  result: unlessMissing(
    jsonText(limit, {
      value: 'payload',
      from: 'msg',
      when: { action: ['success'] },
      example: '{ "approved": payload = "yes", "time": $now() }',
      icon: 'envelope'
    })
  ),
  error: checked(errorIn, {
    value: 'error',
    from: 'msg',
    literals: ['str', 'json'],
    when: { action: ['failure'] },
    example: '{ "errorType": "Rejected", "errorMessage": payload }',
    icon: 'exclamation-triangle'
  })
};

function checkSize(name: string, texts: readonly (string | undefined)[]): number {
  const bytes = texts.reduce((sum, each = '') => sum + Buffer.byteLength(each), 0);
  if (bytes > limit) {
    throw invalid(name, `has ${bytes} bytes, but may have at most ${limit}: put larger data into S3 and send its key.`);
  }
  return bytes;
}

/** Sends the answer, or the sign of life. */
function answer({ sdk, inputs, send, hold }: Context<'lambda', typeof fields>): Promise<unknown> {
  const { callbackId: CallbackId, action, result, error } = inputs;
  if (action === 'heartbeat') return send(new sdk.SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }));
  if (action === 'failure') {
    const { ErrorType, ErrorMessage, ErrorData, StackTrace = [] } = error;
    const command = new sdk.SendDurableExecutionCallbackFailureCommand({ CallbackId, Error: error });
    return hold(checkSize('error', [ErrorType, ErrorMessage, ErrorData, ...StackTrace]), () => send(command));
  }
  const input = { CallbackId, ...(result !== undefined && { Result: result }) };
  return hold(checkSize('result', [result]), () => send(new sdk.SendDurableExecutionCallbackSuccessCommand(input)));
}

export = defineAction({
  type: 'aws-lambda-callback',
  service: 'lambda',
  operation: ({ action = 'success' }) => operations[action],
  fields,
  keepsPayload: true,
  async run(context) {
    await answer(context);
    // The service has nothing to say.
    return { parsed: () => undefined, raw: () => ({}) };
  }
});
