/** What the page and its worker say to each other about JSONata expressions. */

/** An expression to evaluate for a message. */
export interface Question {
  readonly expression: string;
  readonly message: unknown;
}

/**
 * What came of it. `value`: `text` is the result as JSON, shortened; `nothing`: there is no result; `function`: it is one;
 * `runtime`: `text` is a function that gives something only in a running flow; `failed`: `text` is the error; `slow`: it took
 * too long; `unavailable`: there is no worker.
 */
export interface Outcome {
  readonly kind: 'value' | 'nothing' | 'function' | 'runtime' | 'failed' | 'slow' | 'unavailable';
  readonly text?: string;
}

/** The first message of a worker, when it has loaded. */
export const ready = 'ready';
