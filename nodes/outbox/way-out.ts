/** The way of kept messages out of the store: which go when, and what becomes of them. */
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { CurrentAccount } from '../account/account';
import { idInFlow } from '../account/calls';
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
import { fromText } from './json-text';
import { decodeEntry, type Kept } from './records';
import { isRefusal, mayBeOfMessage, wasAnswered } from './refusals';
import type { Outcome, Route } from './route';
import type { Waiting } from './segment';
import type { Read, Store } from './store';
import { type Taken, TargetQueue } from './target-queue';
import { time } from './time';
import { Troubles } from './troubles';

/** How long an answer is waited for, ms. */
const answerLimit = 15_000;
/** How often it is looked whether something has expired: at most and at least, ms. */
const longestLook = 5000;
const shortestLook = 100;
/** Entries that are read back at once where they have expired. */
const atOnce = 50;
/** How often a message has to fail before others are tried before it, where they keep their order. */
const firmly = 3;
/** How many messages in a row may be set aside, each as the cause of its own failure, before the target itself is. */
const mostAside = 10;
/** Records that have more bytes are read back one after the other. */
const largeRecord = 65_536;

/** What is kept of a message beside itself, for each of its targets. */
export interface KeptRequest {
  entry: object;
  output: 'parsed' | 'raw';
  /** One of many targets. */
  many?: true;
}

type KeptMessage = Pick<Kept, 'keptAt' | 'message'>;

/** An entry that was read back. */
interface Loaded {
  taken: Taken;
  request: KeptRequest;
  kept: KeptMessage;
  tries: number;
}

type Accepted = Extract<Outcome, { result: unknown }>;

const nameOf = ({ region, target }: { region: string; target: string }): string => `${region} ${target}`;

export class WayOut<S extends ServiceName, F extends Fields> {
  readonly #queues = new Map<string, TargetQueue>();
  /** Queues whose targets may be one FIFO queue under several names, by what these names have in common. */
  readonly #namesakes = new Map<string, Set<TargetQueue>>();
  readonly #account: CurrentAccount;
  readonly #controller = new AbortController();
  readonly #troubles: Troubles;
  /** Requests that are under way, and what they carry. */
  readonly #under = new Map<Promise<void>, Taken[]>();
  #listening: { clients: Clients; stop: () => void } | undefined;
  #rings = Infinity;
  /** Ends the waiting for that, and for the next look at what has expired. */
  #notRing: (() => void) | undefined;
  #notLook: (() => void) | undefined;
  /** The last reading of large records. */
  #loading: Promise<unknown> = Promise.resolve();
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
    const row = this.store.table.add(entry, time.now() - age);
    const queue = this.#queues.get(nameOf(entry)) ?? this.#newQueue(entry);
    if (!queue.add(row, entry.group)) this.store.left(row);
    if (this.#isStarted) this.#go(queue);
    if (this.keepFor > 0 && !this.#notLook) this.#lookLater();
  }

  #newQueue({ target, region }: Pick<Waiting, 'target' | 'region'>): TargetQueue {
    const queue = new TargetQueue(this.store.table, target, region);
    this.#queues.set(nameOf(queue), queue);
    const shared = this.#sharedName(queue);
    if (shared !== undefined) this.#namesakes.set(shared, this.#namesakesOf(queue).add(queue));
    return queue;
  }

  #sharedName({ target, region }: TargetQueue): string | undefined {
    const name = this.route.sharedName?.(target);
    return name === undefined ? undefined : nameOf({ region, target: name });
  }

  /** The queues that may be of the same target; empty where a target has only one name. */
  #namesakesOf(queue: TargetQueue): Set<TargetQueue> {
    return this.#namesakes.get(this.#sharedName(queue) ?? '') ?? new Set();
  }

  /** Forgets a queue from which all has left, and what it was waiting for. */
  #dropIfEmpty(queue: TargetQueue): void {
    // While what has expired is read, it may have been forgotten already, and another one have come for the same target.
    if (!queue.isEmpty || this.#queues.get(nameOf(queue)) !== queue) return;
    this.#queues.delete(nameOf(queue));
    this.#troubles.succeeded(nameOf(queue));
    const namesakes = this.#namesakesOf(queue);
    if (namesakes.delete(queue) && namesakes.size === 0) this.#namesakes.delete(this.#sharedName(queue) ?? '');
  }

  /** Lets what waits go, once all of the store has been read. */
  start(): void {
    this.#isStarted = true;
    for (const queue of [...this.#queues.values()]) this.#go(queue);
  }

  /** When the oldest entry was kept that has not left, ms of `time.now()`; `Infinity` if there is none. */
  get oldest(): number {
    let oldest = this.#oldestWaiting;
    for (const taken of this.#under.values())
      for (const { row } of taken) oldest = Math.min(oldest, this.store.table.since(row));
    return oldest;
  }

  /** The same, those under way aside. */
  get #oldestWaiting(): number {
    let oldest = Infinity;
    for (const queue of this.#queues.values()) oldest = Math.min(oldest, queue.oldest);
    return oldest;
  }

  /** Sends what may go to a target. */
  #go(queue: TargetQueue): void {
    if (this.#isClosing) return;
    // Two of a FIFO group would be under way, each by another name of its queue.
    for (const other of this.#namesakesOf(queue)) if (other !== queue && other.sending > 0) return;
    const { requests, ...capacity } = this.route.capacity(queue.target);
    while (queue.pause.until <= time.now() && queue.sending < (queue.pause.hasFailed ? 1 : requests)) {
      const taken = queue.take(capacity);
      if (taken.length === 0) break;
      queue.sending += 1;
      const began = time.now();
      const work: Promise<void> = this.#send(queue, taken, began)
        .catch((thrown: unknown) => this.#failed(queue, taken, thrown, began))
        .finally(() => {
          queue.sending -= 1;
          this.#under.delete(work);
          this.#goOn(queue);
        });
      this.#under.set(work, taken);
    }
    this.#ringAt(queue.nextRested);
  }

  #goOn(queue: TargetQueue): void {
    this.changed();
    const namesakes = this.#namesakesOf(queue);
    if (namesakes.size > 1) {
      for (const each of [...namesakes].sort((one, other) => one.oldest - other.oldest)) this.#go(each);
    } else this.#go(queue);
    this.#dropIfEmpty(queue);
  }

  async #send(queue: TargetQueue, taken: Taken[], began: number): Promise<void> {
    const loaded = await this.#load(queue, taken);
    if (loaded.length === 0) return;
    const outcomes = new Map<number, Outcome>();
    let failure: unknown;
    try {
      await this.#request(queue, loaded, (index, outcome) => outcomes.set(index, outcome));
    } catch (thrown) {
      failure = thrown;
    }
    this.#settle(queue, loaded, outcomes, failure, began);
  }

  /** Reads entries back. Those that are damaged leave the store; rejects if the disk does not answer. */
  async #load(queue: TargetQueue, taken: Taken[]): Promise<Loaded[]> {
    const rows = taken.map(({ row }) => row);
    const isLarge = rows.some((row) => this.store.table.place(row).length > largeRecord);
    const read = async () => this.#decode(queue, taken, await this.store.read(rows));
    if (!isLarge) return read();
    // The targets of one message would each hold all of its requests at the same time.
    const loading = this.#loading.then(read);
    this.#loading = loading.catch(() => undefined);
    return loading;
  }

  #decode(queue: TargetQueue, taken: Taken[], records: (Read | undefined)[]): Loaded[] {
    const { table } = this.store;
    return taken.flatMap((each, index) => {
      const record = records[index];
      if (!record) {
        queue.left(each);
        return [];
      }
      const { request: text, ...kept } = decodeEntry(record.record, record.member);
      return [{ taken: each, request: fromText(text) as KeptRequest, kept, tries: table.countTry(each.row) }];
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
            return client.send(command, { abortSignal, node: idInFlow(this.#node), silence: answerLimit });
          };
          return this.route.send({ sdk: sdkOf(service), client, request }, queue.target, entries, tell);
        },
        this.#controller.signal
      );
    } finally {
      clients.detach();
    }
  }

  /** Does with each entry what its outcome asks for; `failure` is that of those that have none. */
  #settle(queue: TargetQueue, loaded: Loaded[], outcomes: Map<number, Outcome>, failure: unknown, began: number): void {
    const refusedForNow: { each: Loaded; error: unknown }[] = [];
    const untold: Loaded[] = [];
    for (const [index, each] of loaded.entries()) {
      const outcome = outcomes.get(index);
      if (!outcome) untold.push(each);
      else if (!('error' in outcome)) this.#arrived(queue, each, outcome);
      else if (isRefusal(outcome.error)) this.#refused(queue, each, this.#toError(outcome.error, queue.target));
      else refusedForNow.push({ each, error: outcome.error });
    }
    const [first] = refusedForNow;
    const isAnswered = refusedForNow.length + untold.length < loaded.length;
    if (first && isAnswered) {
      for (const { each } of refusedForNow) this.#setAside(queue, each, first.error, false);
    } else {
      untold.unshift(...refusedForNow.map(({ each }) => each));
    }
    if (untold.length > 0) this.#failedTogether(queue, untold, first?.error ?? failure, began);
    if (isAnswered) this.#succeeded(queue, began);
  }

  /** What came to nothing for one reason: the message itself may be that, or its target. */
  #failedTogether(queue: TargetQueue, loaded: Loaded[], error: unknown, began: number): void {
    const [only, ...more] = loaded;
    if (only && more.length === 0 && this.#isOfMessage(queue, only, error)) {
      this.#setAside(queue, only, error, true);
      return;
    }
    const taken = loaded.map((each) => each.taken);
    this.#failed(queue, taken, error, began);
  }

  /**
   * Whether the service may have failed over this message, so that another one is tried: else it would hold all behind it. Where
   * the order counts, it has to fail again and again for that.
   */
  #isOfMessage(queue: TargetQueue, { taken, tries }: Loaded, error: unknown): boolean {
    if (!mayBeOfMessage(error) || queue.asides >= mostAside) return false;
    const isInOrder = taken.sequence.group === undefined && this.route.capacity(queue.target).requests === 1;
    return !isInOrder || tries >= firmly;
  }

  #setAside(queue: TargetQueue, { taken }: Loaded, error: unknown, alone: boolean): void {
    queue.setAside(taken, time.now(), alone);
    this.#inTrouble(queue, error);
  }

  /** A whole request has failed: all that it carried waits where it was. */
  #failed(queue: TargetQueue, taken: Taken[], error: unknown, began: number): void {
    for (const each of taken) queue.putBack(each);
    if (this.#isClosing) return;
    queue.failed(time.now(), began, taken.length > 1 && mayBeOfMessage(error));
    this.#inTrouble(queue, error);
  }

  #inTrouble(queue: TargetQueue, thrown: unknown): void {
    if (this.#isClosing) return;
    this.#troubles.failed(nameOf(queue), this.#toError(thrown, queue.target), wasAnswered(thrown));
  }

  #succeeded(queue: TargetQueue, began: number): void {
    queue.succeeded(began);
    if (!queue.isInTrouble) this.#troubles.succeeded(nameOf(queue));
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

  #report({ message }: Pick<Kept, 'message'>, error: ActionError): void {
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
    const now = time.now();
    for (const queue of this.#queues.values()) {
      queue.wake(now);
      this.#ringAt(queue.nextRested);
    }
  }

  #ringAt(moment: number): void {
    if (moment >= this.#rings || this.#isClosing) return;
    this.#notRing?.();
    this.#rings = moment;
    this.#notRing = time.after(Math.max(1, Math.ceil(moment - time.now())), () => this.#ring());
  }

  #ring(): void {
    this.#rings = Infinity;
    const now = time.now();
    for (const queue of [...this.#queues.values()]) {
      queue.endRests(now);
      this.#go(queue);
    }
  }

  #lookLater(): void {
    if (this.#isClosing) return;
    const rest = this.#oldestWaiting + this.keepFor - time.now();
    const pause = Math.min(longestLook, Math.max(shortestLook, rest));
    this.#notLook = time.after(pause, () => {
      this.#expire()
        // The disk does not answer: they are read the next time.
        .catch(() => undefined)
        .finally(() => this.#lookLater());
    });
  }

  /** Gives up what waits for longer than it may. */
  async #expire(): Promise<void> {
    for (const queue of [...this.#queues.values()]) {
      const older = queue.takeOlder(time.now() - this.keepFor);
      for (let first = 0; first < older.length; first += atOnce) {
        const rows = older.slice(first, first + atOnce).map(({ row }) => row);
        await this.#giveUp(queue, rows).catch((thrown: unknown) => {
          const home = this.#queues.get(nameOf(queue)) ?? this.#newQueue(queue);
          for (const taken of older.slice(first)) home.restore(taken);
          throw thrown;
        });
      }
      this.#dropIfEmpty(queue);
    }
    this.changed();
  }

  async #giveUp(queue: TargetQueue, rows: number[]): Promise<void> {
    const records = await this.store.read(rows);
    if (this.#isClosing) return;
    for (const [index, row] of rows.entries()) {
      const record = records[index];
      if (!record) continue;
      this.#report(
        decodeEntry(record.record, record.member),
        this.#toError(expired(this.keepFor, this.#troubles.of(nameOf(queue))), queue.target)
      );
      this.store.left(row);
    }
  }

  /** The account through which messages go out. */
  get account(): string | undefined {
    return this.#account.nodeId;
  }

  /** Tries all that waits at once, however long it has to rest. */
  sendNow(): void {
    if (!this.#isStarted) return;
    for (const queue of [...this.#queues.values()]) {
      queue.endRests(Infinity);
      this.#go(queue);
    }
  }

  /** Throws away what was kept before a time of `time.now()`, what is under way aside. Gives how much that was. */
  throwAway(before: number): number {
    let count = 0;
    for (const queue of [...this.#queues.values()]) {
      const older = queue.takeOlder(before);
      for (const { row } of older) this.store.left(row);
      count += older.length;
      this.#dropIfEmpty(queue);
    }
    this.changed();
    return count;
  }

  /** Lets what is under way end; what has no answer after `limit` ms is sent again later. Nothing goes on afterwards. */
  async close(limit: number): Promise<void> {
    this.#isClosing = true;
    this.#notRing?.();
    this.#notLook?.();
    const isInTime = time.after(limit, () => this.#controller.abort(closed()));
    await Promise.all(this.#under.keys());
    isInTime();
    this.#listening?.stop();
    this.#account.close();
  }
}

function expired(keptFor: number, trouble: ActionError | undefined): ActionError {
  const hours = Number((keptFor / 3_600_000).toPrecision(3));
  const why = trouble ? ` What kept it from going out: ${trouble.name}: ${trouble.message}` : '';
  return ownError('Expired', `The message was kept for ${hours} hours and is given up.${why}`);
}
