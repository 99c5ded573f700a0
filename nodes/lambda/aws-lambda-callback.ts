import type { ErrorObject } from '@aws-sdk/client-lambda';
import type { Context } from '../action/action';
import { defineAction } from '../action/define-action';
import { invalid } from '../fields/errors';
import { checked, choice, jsonText, kindOf, text, unlessMissing } from '../fields/fields';
import { checkLength, isObject, toText } from '../fields/json';

/** Bytes of a result, and of all members of an error together; from Lambda's own documentation. */
const limit = 1_048_576;

const operations = {
  success: 'SendDurableExecutionCallbackSuccess',
  failure: 'SendDurableExecutionCallbackFailure',
  heartbeat: 'SendDurableExecutionCallbackHeartbeat'
} as const;

const textIn = (value: unknown, name: string): string | undefined =>
  value === undefined || value === null ? undefined : toText(value, name, limit);

/** The lines of a stack trace, which is one text or a list of lines. */
function linesIn(trace: unknown, name: string): string[] | undefined {
  if (trace === undefined || trace === null) return undefined;
  if (typeof trace === 'string') return trace.split(/\r?\n/);
  if (!Array.isArray(trace)) throw invalid(name, `must be text or an array of its lines, but is ${kindOf(trace)}.`);
  checkLength(trace, name, limit);
  return Array.from(trace, (line: unknown) => toText(line ?? '', name, limit));
}

/**
 * An error as Lambda takes it, from a text or an object. The members may have Lambda's own names, or those of an Error
 * or of what a Catch node gives. Throws `InvalidValue` for anything that does not describe an error.
 */
function errorIn(found: unknown, name: string): ErrorObject {
  if (typeof found === 'string') return { ErrorMessage: found };
  if (!isObject(found)) {
    throw invalid(name, `must be text, an object that tells of an error, or an Error, but is ${kindOf(found)}.`);
  }
  const error = {
    ErrorType: textIn(found.errorType ?? (found.name || found.code), `${name}.errorType`),
    ErrorMessage: textIn(found.errorMessage ?? found.message, `${name}.errorMessage`),
    ErrorData: textIn(found.errorData, `${name}.errorData`),
    StackTrace: linesIn(found.stackTrace ?? found.stack, `${name}.stackTrace`)
  };
  if (Object.values(error).some((member) => member !== undefined)) return error;
  throw invalid(name, 'is an object without errorType, errorMessage, errorData or stackTrace.');
}

export const fields = {
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

/** Sends the result, the failure or the heartbeat. */
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

export const node = /* @__PURE__ */ defineAction({
  type: 'aws-lambda-callback',
  service: 'lambda',
  operation: ({ action = 'success' }) => operations[action],
  fields,
  keepsPayload: true,
  async run(context) {
    await answer(context);
    // The service's answer is empty.
    return { parsed: () => undefined, raw: () => ({}) };
  }
});
