/** Evaluates JSONata expressions in a worker, never in the page or the runtime: a half-typed expression can loop for ever. */
import { name as packageName } from '../../package.json';
import { type Outcome, type Question, ready } from './evaluation';

/** How long an expression may take, ms. */
const limit = 1000;

/** Made by the build; Node-RED serves the folder `resources` of a package. */
const program = `resources/${packageName}/preview.js`;

/** The next message of a worker; rejects if it cannot be loaded. */
const nextOf = (worker: Worker): Promise<unknown> =>
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });

async function newWorker(): Promise<Worker> {
  const worker = new Worker(program);
  if ((await nextOf(worker)) !== ready) throw new Error('The worker has not begun.');
  return worker;
}

export class Evaluator {
  /** The only worker, from the first question until an expression takes too long. */
  #worker: Promise<Worker> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Evaluates an expression when those before it have ended, if it is still wanted then. Never rejects. */
  evaluate(wanted: () => Question | undefined): Promise<Outcome | undefined> {
    const outcome = this.#last.then(() => {
      const question = wanted();
      return question && this.#ask(question);
    });
    this.#last = outcome;
    return outcome;
  }

  /** Ends the worker, and what it is at. */
  close(): void {
    this.#worker?.then(
      (worker) => worker.terminate(),
      () => undefined
    );
    this.#worker = undefined;
  }

  async #ask(question: Question): Promise<Outcome> {
    try {
      this.#worker ??= newWorker();
      return await this.#within(await this.#worker, question);
    } catch {
      this.close();
      return { kind: 'unavailable' };
    }
  }

  #within(worker: Worker, question: Question): Promise<Outcome> {
    const answer = nextOf(worker) as Promise<Outcome>;
    worker.postMessage(question);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.close();
        resolve({ kind: 'slow' });
      }, limit);
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
