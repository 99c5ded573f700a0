/** What an error of this pack carries beside `name`, `code` and `message`. */
export interface ErrorDetails {
  /** Seen by Catch nodes as `msg.error.cause`: always plain data, never an SDK object. */
  cause?: unknown;
  statusCode?: number;
  requestId?: string;
  service?: string;
  operation?: string;
  /** Whether the same message may succeed later, unchanged. */
  retryable?: boolean;
  /** Members that only one kind of error has, such as `errorType` of `FunctionError` or `results` of `PartialFailure`. */
  extra?: Record<string, unknown>;
}

/** Characters; a function may fail with a text of megabytes. */
const longestText = 1000;

/** A text as a log line, a status and the debug sidebar can show it. */
function oneLine(text: string): string {
  const line = text
    .slice(0, 2 * longestText)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line;
}

/** The error that a node hands to `done`. `name` and `code` are the AWS error name or one of the pack's own. */
export class ActionError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  declare statusCode?: number;
  declare requestId?: string;
  declare service?: string;
  declare operation?: string;

  constructor(name: string, message: string, { cause, retryable = false, extra, ...details }: ErrorDetails = {}) {
    super(oneLine(message), cause === undefined ? undefined : { cause });
    this.name = name;
    this.code = name;
    this.retryable = retryable;
    for (const [key, value] of Object.entries({ ...extra, ...details })) {
      if (value !== undefined) Object.assign(this, { [key]: value });
    }
  }
}

export const missing = (message: string): ActionError => new ActionError('MissingValue', message);
export const invalid = (message: string): ActionError => new ActionError('InvalidValue', message);
export const closing = (): ActionError =>
  new ActionError('Closed', 'The node is being closed: nothing was sent.', { retryable: true });
export const closed = (): ActionError =>
  new ActionError('Closed', 'The node was closed before the answer came; the request may have been carried out.', {
    retryable: true
  });
