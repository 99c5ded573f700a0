/** The way of kept messages out of the store: which go when, and what becomes of them. */
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { CurrentAccount } from '../account/account';
import type { Clients } from '../account/clients';
import type { Answer, Command, ServiceName } from '../account/sdks';
import { sdkOf } from '../account/sdks';
import type { Deployment } from '../action/action';
import { reportError } from '../action/input';
import { receivedIn } from '../action/received';
import { sendOn } from '../action/send-on';
import { within } from '../action/within';
import { type ActionError, closed, ownError } from '../fields/errors';
import type { Fields } from '../fields/fields';
import { present } from '../fields/json';
import { metadataOf } from '../fields/thrown';
import { fromText } from './json-text';
import { decode, type Kept } from './records';
import { isRefusal, wasAnswered } from './refusals';
import type { Outcome, Route } from './route';
import type { Waiting } from './segment';
import type { Store } from './store';
import { type Taken, TargetQueue } from './target-queue';
import { Troubles } from './troubles';

/** How long an answer is waited for, ms. */
const answerLimit = 15_000;
/** How often it is looked whether something has expired: at most and at least, ms. */
const longestLook = 5000;
const shortestLook = 100;
/** Entries that are read back at once where they have expired. */
const atOnce = 50;

/** What is kept of a message beside itself, for each of its targets. */
export interface KeptRequest {
  entry: object;
  output: 'parsed' | 'raw';
  /** One of many targets. */
  many?: true;
}

/** An entry that was read back. */
interface Loaded {
  taken: Taken;
  request: KeptRequest;
  kept: Kept;
  tries: number;
}

type Accepted = Extract<Outcome, { result: unknown }>;

const nameOf = ({ region, target }: { region: string; target: string }): string => `${region} ${target}`;

export class WayOut<S extends ServiceName, F extends Fields> {
  readonly #queues = new Map<string, TargetQueue>();
  readonly #account: CurrentAccount;
  readonly #controller = new AbortController();
  readonly #troubles: Troubles;
  /** Requests that are under way. */
  readonly #under = new Set<Promise<void>>();
  #listening: { clients: Clients; stop: () => void } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #rings = Infinity;
  #looking: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isClosing = false;

  constructor(
    private readonly deployed: Deployment<F>,
    private readonly route: Route<S, F>,
    private readonly store: Store,
    /** How long messages are kept, ms; 0: for ever. */
    private readonly keepFor: number,
    /** Called when what waits has changed. */
    private readonly changed: () => void
  ) {
    const { RED, node, config } = deployed;
    this.#account = new CurrentAccount(RED, config.account, () => this.#wake());
    this.#troubles = new Troubles(node);
  }

  /** The first thing that keeps messages from going out. */
  get trouble(): ActionError | undefined {
    return this.#troubles.first;
  }

  get #node(): Node {
    return this.deployed.node;
  }

  get #RED(): NodeAPI {
    return this.deployed.RED;
  }

  /** Takes in an entry that is safe, kept so many ms ago. */
  add(entry: Waiting, age = 0): void {
    const row = this.store.table.add(entry, performance.now() - age);
    const name = nameOf(entry);
    const queue = this.#queues.get(name) ?? new TargetQueue(this.store.table, entry.target, entry.region);
    this.#queues.set(name, queue);
    if (!queue.add(row, entry.group)) this.store.left(row);
    if (this.#isStarted) this.#go(queue);
    if (this.keepFor > 0 && !this.#looking) this.#lookLater();
  }

  /** Lets what waits go, once all of the store has been read. */
  start(): void {
    this.#isStarted = true;
    for (const queue of [...this.#queues.values()]) this.#go(queue);
  }

  /** When the oldest entry that waits was kept, ms of `performance.now()`; `Infinity` if none does. */
  get oldest(): number {
    let oldest = Infinity;
    for (const queue of this.#queues.values()) oldest = Math.min(oldest, queue.oldest);
    return oldest;
  }

  /** Sends what may go to a target. */
  #go(queue: TargetQueue): void {
    if (this.#isClosing) return;
    const { requests, ...capacity } = this.route.capacity(queue.target);
    while (queue.pause.until <= performance.now() && queue.sending < (queue.pause.hasFailed ? 1 : requests)) {
      const taken = queue.take(capacity);
      if (taken.length === 0) break;
      queue.sending += 1;
      const work: Promise<void> = this.#send(queue, taken)
        .catch((thrown: unknown) => this.#failed(queue, taken, thrown))
        .finally(() => {
          queue.sending -= 1;
          this.#under.delete(work);
          this.#goOn(queue);
        });
      this.#under.add(work);
    }
    this.#ringAt(queue.nextRested);
  }

  #goOn(queue: TargetQueue): void {
    this.changed();
    this.#go(queue);
    if (queue.isEmpty) this.#queues.delete(nameOf(queue));
  }

  async #send(queue: TargetQueue, taken: Taken[]): Promise<void> {
    const loaded = await this.#load(queue, taken);
    if (loaded.length === 0) return;
    const outcomes = new Map<number, Outcome>();
    let failure: unknown;
    try {
      await this.#request(queue, loaded, (index, outcome) => outcomes.set(index, outcome));
    } catch (thrown) {
      failure = thrown;
    }
    this.#settle(
      queue,
      loaded.map((each, index) => ({ each, outcome: outcomes.get(index) ?? { error: failure } }))
    );
  }

  /** Reads entries back. Those that are damaged leave the store; rejects if the disk does not answer. */
  async #load(queue: TargetQueue, taken: Taken[]): Promise<Loaded[]> {
    const { table } = this.store;
    const records = await this.store.read(taken.map(({ row }) => row));
    return taken.flatMap((each, index) => {
      const record = records[index];
      if (!record) {
        queue.left(each);
        return [];
      }
      const kept = decode(record);
      const { member } = table.place(each.row);
      const request = fromText(kept.requests[member] as string) as KeptRequest;
      return [{ taken: each, request, kept, tries: table.countTry(each.row) }];
    });
  }

  async #request(queue: TargetQueue, loaded: Loaded[], tell: (index: number, outcome: Outcome) => void): Promise<void> {
    const { service } = this.route;
    const { clients } = this.#account;
    this.#listen(clients);
    clients.attach();
    try {
      const client = await clients.get(service, { region: queue.region, maxAttempts: 1 });
      const entries = loaded.map(({ request }) => request.entry);
      await within(
        answerLimit,
        (abortSignal, goOn) => {
          const request = <Output extends Answer>(command: Command<Output>) => {
            goOn();
            return client.send(command, { abortSignal, silence: answerLimit });
          };
          return this.route.send({ sdk: sdkOf(service), client, request }, queue.target, entries, tell);
        },
        this.#controller.signal
      );
    } finally {
      clients.detach();
    }
  }

  /** Does with each entry what its outcome asks for. */
  #settle(queue: TargetQueue, settled: { each: Loaded; outcome: Outcome }[]): void {
    const now = performance.now();
    const waits = settled.filter(({ outcome }) => 'error' in outcome && !isRefusal(outcome.error));
    const [first] = waits;
    if (waits.length < settled.length) this.#succeeded(queue);
    for (const { each, outcome } of settled) {
      if (!('error' in outcome)) this.#arrived(queue, each, outcome);
      else if (isRefusal(outcome.error)) this.#refused(queue, each, this.#toError(outcome.error, queue.target));
    }
    if (!first || !('error' in first.outcome)) return;
    const { error } = first.outcome;
    if (waits.length < settled.length || this.#isOfGroup(first.each, settled.length, error)) {
      for (const { each } of waits) queue.setAside(each.taken, now);
      this.#inTrouble(queue, error);
    } else {
      this.#failed(
        queue,
        waits.map(({ each }) => each.taken),
        error
      );
    }
  }

  /** Whether an error that the service answered with may be of the FIFO group alone. */
  #isOfGroup({ taken }: Loaded, entries: number, error: unknown): boolean {
    return taken.sequence.group !== undefined && entries === 1 && (metadataOf(error).httpStatusCode ?? 0) >= 500;
  }

  /** A whole request has failed: all that it carried waits where it was. */
  #failed(queue: TargetQueue, taken: Taken[], error: unknown): void {
    for (const each of taken) queue.putBack(each);
    if (this.#isClosing) return;
    queue.pause.failed(performance.now());
    this.#inTrouble(queue, error);
  }

  #inTrouble(queue: TargetQueue, thrown: unknown): void {
    if (this.#isClosing) return;
    this.#troubles.failed(nameOf(queue), this.#toError(thrown, queue.target), wasAnswered(thrown));
  }

  #succeeded(queue: TargetQueue): void {
    queue.pause.succeeded();
    this.#troubles.succeeded(nameOf(queue));
  }

  #toError(thrown: unknown, target: string): ActionError {
    return this.deployed.toError(thrown, target);
  }

  /** The service has accepted an entry: its message goes on. */
  #arrived(queue: TargetQueue, { taken, request, kept, tries }: Loaded, { result, metadata }: Accepted): void {
    const message = fromText(kept.message) as NodeMessage;
    try {
      const { service } = this.route;
      const aws = {
        service,
        operation: this.deployed.operation,
        ...present({
          region: queue.region,
          statusCode: metadata.httpStatusCode,
          requestId: metadata.requestId,
          attempts: metadata.attempts ?? 1,
          ...result.aws
        }),
        ...(request.many && { target: queue.target }),
        keptAt: kept.keptAt,
        tries,
        ...receivedIn(message)
      };
      const changed = Object.assign(message, { payload: result[request.output](), aws });
      sendOn(this.#RED, this.#node, changed, (each) => this.#node.send(each));
    } catch (thrown) {
      reportError(this.#node, this.#toError(thrown, queue.target), message);
    }
    this.#leave(queue, taken);
  }

  /** An entry that will never be accepted: Catch nodes get its message. */
  #refused(queue: TargetQueue, { taken, kept }: Loaded, error: ActionError): void {
    this.#report(kept, error);
    this.#leave(queue, taken);
  }

  #report({ message }: Kept, error: ActionError): void {
    reportError(this.#node, error, fromText(message) as NodeMessage);
    this.deployed.status.ended(error);
  }

  #leave(queue: TargetQueue, taken: Taken): void {
    this.store.left(taken.row);
    queue.left(taken);
  }

  /** Is told when a request of the account succeeds. */
  #listen(clients: Clients): void {
    if (this.#listening?.clients === clients) return;
    this.#listening?.stop();
    this.#listening = { clients, stop: clients.onSuccess(() => this.#wake()) };
  }

  /** What waits is worth a try. */
  #wake(): void {
    const now = performance.now();
    for (const queue of this.#queues.values()) {
      queue.wake(now);
      this.#ringAt(queue.nextRested);
    }
  }

  #ringAt(time: number): void {
    if (time >= this.#rings || this.#isClosing) return;
    clearTimeout(this.#timer);
    this.#rings = time;
    this.#timer = setTimeout(() => this.#ring(), Math.max(1, Math.ceil(time - performance.now())));
  }

  #ring(): void {
    this.#rings = Infinity;
    const now = performance.now();
    for (const queue of [...this.#queues.values()]) {
      queue.endRests(now);
      this.#go(queue);
    }
  }

  #lookLater(): void {
    if (this.#isClosing) return;
    const rest = this.oldest + this.keepFor - performance.now();
    const pause = Math.min(longestLook, Math.max(shortestLook, rest));
    this.#looking = setTimeout(() => {
      this.#expire()
        // The disk does not answer: they are read the next time.
        .catch(() => undefined)
        .finally(() => this.#lookLater());
    }, pause);
  }

  /** Gives up what waits for longer than it may. */
  async #expire(): Promise<void> {
    for (const queue of [...this.#queues.values()]) {
      const rows = queue.takeOlder(performance.now() - this.keepFor);
      for (let first = 0; first < rows.length; first += atOnce) {
        const some = rows.slice(first, first + atOnce);
        await this.#giveUp(queue, some).catch((thrown: unknown) => {
          for (const row of rows.slice(first)) queue.restore(row);
          throw thrown;
        });
      }
    }
    this.changed();
  }

  async #giveUp(queue: TargetQueue, rows: number[]): Promise<void> {
    const records = await this.store.read(rows);
    if (this.#isClosing) return;
    records.forEach((record, index) => {
      if (!record) return;
      this.#report(
        decode(record),
        this.#toError(expired(this.keepFor, this.#troubles.of(nameOf(queue))), queue.target)
      );
      this.store.left(rows[index] as number);
    });
  }

  /** Lets what is under way end; what has no answer after `limit` ms is sent again later. Nothing goes on afterwards. */
  async close(limit: number): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#looking);
    const timer = setTimeout(() => this.#controller.abort(closed()), limit);
    await Promise.all(this.#under);
    clearTimeout(timer);
    this.#listening?.stop();
    this.#account.close();
  }
}

function expired(keptFor: number, trouble: ActionError | undefined): ActionError {
  const hours = Number((keptFor / 3_600_000).toPrecision(3));
  const why = trouble ? ` What kept it from going out: ${trouble.name}: ${trouble.message}` : '';
  return ownError('Expired', `The message was kept for ${hours} hours and is given up.${why}`);
}
