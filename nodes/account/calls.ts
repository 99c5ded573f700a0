/** The last calls of a Node-RED, for the sidebar of the editor: who called what, and how it ended. */
import { randomUUID } from 'node:crypto';
import type { Node, NodeAPI } from 'node-red';
import { isActionError } from '../fields/errors';
import { shortLine } from '../fields/lines';
import { memberOf, metadataOf, nameOf, textOf } from '../fields/thrown';
import { missingStatement } from './denial';
import { redact } from './redaction';
import type { Answer, Command, Metadata } from './sdks';
import { toActionError } from './to-action-error';

/** The ID of a node in the flow: one in a subflow has an ID of its own in each instance. */
export const idInFlow = (node: Node & { _alias?: string }): string => node._alias ?? node.id;

/** How many calls are kept. */
const mostCalls = 200;

/** How a call has failed. The message has no secret. */
export interface CallFailure {
  readonly name: string;
  readonly message: string;
  /** What a policy of the sign-in lacks, where that is why. */
  readonly missing?: object | undefined;
}

/** A call that has ended. Of what was sent it has the target, of the answer nothing but how many messages it brought. */
export interface CallRecord {
  /** The first call of a Node-RED is 1. */
  readonly number: number;
  /** When it ended, ms since 1970. */
  readonly at: number;
  /** The IDs of the account and of the node; calls of the editor's lists and of sign-ins are of no node. */
  readonly account: string;
  readonly node: string | undefined;
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  /** The name, URL or ARN of what was called, or a phone number. */
  readonly target: string | undefined;
  /** How long it took, ms. */
  readonly took: number;
  readonly attempts: number;
  readonly requestId: string | undefined;
  /** How many messages were received. */
  readonly messages: number | undefined;
  readonly failure: CallFailure | undefined;
}

/** The last calls, in memory of a fixed size: the newest one takes the place of the oldest. */
export class Calls {
  /** Another one after each start of Node-RED, whose numbers begin anew. */
  readonly run = randomUUID();
  readonly #records: CallRecord[] = [];
  #last = 0;

  /** The number of the last call. */
  get last(): number {
    return this.#last;
  }

  /** The number of the next call. */
  get next(): number {
    return this.#last + 1;
  }

  add(record: CallRecord): void {
    this.#last = record.number;
    this.#records[record.number % mostCalls] = record;
  }

  /** Those after the one with this number, the oldest first, as far as they are kept. */
  after(number: number): CallRecord[] {
    const records: CallRecord[] = [];
    for (let each = Math.max(number, this.#last - mostCalls) + 1; each <= this.#last; each += 1) {
      records.push(this.#records[each % mostCalls] as CallRecord);
    }
    return records;
  }
}

/** By the events of their Node-RED: a process may run several. */
const known = new WeakMap<object, Calls>();

/** The calls of a Node-RED. */
export function callsOf({ events }: NodeAPI): Calls {
  const calls = known.get(events) ?? new Calls();
  known.set(events, calls);
  return calls;
}

/** The members of the commands' inputs that name what is called. */
interface Targets {
  FunctionName?: string;
  QueueUrl?: string;
  QueueName?: string;
  TopicArn?: string;
  TargetArn?: string;
  PhoneNumber?: string;
  CollectionId?: string;
}

const targetOf = (input: Targets): string | undefined =>
  input.FunctionName ??
  input.QueueUrl ??
  input.TopicArn ??
  input.CollectionId ??
  input.QueueName ??
  input.TargetArn ??
  input.PhoneNumber;

/** The members of answers that say how a call has ended. */
interface Ends {
  FunctionError?: string;
  Messages?: unknown[];
  Failed?: { Code?: string }[];
  Successful?: unknown[];
}

/** What has failed although AWS has answered: a function, or entries of a batch. What they say is not repeated here. */
function failureIn({ FunctionError, Failed = [], Successful = [] }: Ends): CallFailure | undefined {
  if (FunctionError !== undefined)
    return { name: 'FunctionError', message: `The function has failed: ${shortLine(FunctionError)}.` };
  if (Failed.length === 0) return undefined;
  const codes = shortLine([...new Set(Failed.map(({ Code = '' }) => Code))].join(', '));
  const total = Failed.length + Successful.length;
  return { name: 'PartialFailure', message: `${Failed.length} of ${total} entries were refused: ${codes}.` };
}

/** Who calls, and where. */
export interface Caller {
  readonly service: string;
  readonly region: string;
  readonly node: string | undefined;
  /** When the call began, ms of `performance.now()`. */
  readonly began: number;
}

/** Notes the calls of an account. */
export class CallLog {
  constructor(
    private readonly calls: Calls,
    private readonly account: string
  ) {}

  answered(caller: Caller, operation: string, command: Command<unknown>, output: Answer): void {
    const ends = output as Ends;
    const failure = ends.FunctionError !== undefined || ends.Failed !== undefined ? failureIn(ends) : undefined;
    const messages = operation === 'ReceiveMessage' ? (ends.Messages?.length ?? 0) : undefined;
    this.#add(caller, operation, command, metadataOf(output), messages, failure);
  }

  /** `secrets` are struck out of the text. */
  failed(caller: Caller, operation: string, command: Command<unknown>, thrown: unknown, secrets: string[]): void {
    const failure = failureOf(thrown, { service: caller.service, operation, secrets });
    this.#add(caller, operation, command, metadataOf(thrown), undefined, failure);
  }

  #add(
    { service, region, node, began }: Caller,
    operation: string,
    { input }: Command<unknown>,
    { attempts = 1, requestId }: Metadata,
    messages: number | undefined,
    failure: CallFailure | undefined
  ): void {
    this.calls.add({
      number: this.calls.next,
      // biome-ignore lint/plugin/clock: people read it
      at: Date.now(),
      account: this.account,
      node,
      service,
      operation,
      region,
      target: targetOf(input as Targets),
      took: performance.now() - began,
      attempts,
      requestId,
      messages,
      failure
    });
  }
}

/** An error of the pack itself is only read here, since it is reported later. */
function failureOf(thrown: unknown, context: { service: string; operation: string; secrets: string[] }): CallFailure {
  if (!isActionError(thrown)) {
    const { name, message, cause } = toActionError(thrown, context);
    const missing = missingStatement(textOf(memberOf(cause, 'message')));
    return { name, message, ...(missing && { missing }) };
  }
  return { name: nameOf(thrown), message: redact(String(memberOf(thrown, 'message')), context.secrets) };
}
