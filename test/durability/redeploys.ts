/** Very many redeploys of a flow with every node, in mid-flight: `npm run redeploys` does 1,000, the tests fewer. */
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalAws, type RequestRecord } from '../../local-aws/client';
import { drawPicture, people } from '../../local-aws/rekognition/drawings';
import { countFaults, hangOne, heldUp, receivedUntold, sentUntold, troubleEverything } from './faults';
import { type Measurement, Runner } from './fleet';
import { entries, everyNode, everyNodeVisibility, type Works } from './flows';
import { Ledger, type Receipt } from './ledger';
import { Queues } from './queues';

/** How many messages are on their way to AWS at a time. */
const window = 14;
const groups = 6;
const parts = 3;

/** What a Node-RED is after very many redeploys. */
export interface Redeployed {
  /** What must not be: messages that were lost, doubled, out of their order or not ended. */
  problems: string[];
  /** How the receipts of messages ended that are settled in the flow. */
  ends: Record<string, number>;
  /** How often the queues handed such messages out beyond once, and once more for each redeploy and each return. */
  extraReceives: number;
  /** How often a message came again that was to be deleted at once. */
  repeated: number;
  /** Errors of the entry nodes, whose messages were then given again; requests that met a fault. */
  errors: Record<string, number>;
  faults: Record<string, number>;
  /** Bytes by which the heap has grown since the first third of the redeploys. */
  growth: number;
  /** What keeps it alive, or listens, when the nodes are gone, and did not before they came. */
  left: string[];
  messages: number;
  seconds: number;
}

/** Redeploys a flow with every node so many times, with ids that are new each time, while messages are on their way. */
export async function redeploys(times: number, say: (line: string) => void = () => undefined): Promise<Redeployed> {
  const run = await Run.start();
  try {
    return await run.all(times, say);
  } finally {
    await run.stop();
  }
}

const name = 'redeployed';

/** The books of one long run. */
class Run {
  /** By their ids: requests that met a fault. */
  readonly #faulty = new Map<string, RequestRecord>();
  #generation = 0;

  private constructor(
    private readonly aws: LocalAws,
    private readonly queues: Queues,
    private readonly ledger: Ledger,
    private readonly runner: Runner,
    private readonly works: Works,
    private readonly urls: string[]
  ) {}

  static async start(): Promise<Run> {
    const aws = await LocalAws.start();
    const queues = new Queues(aws);
    const ledger = new Ledger();
    const runner = await Runner.start(name, ledger);
    const { topic, url } = await queues.createTopic('heard');
    const urls = [await queues.create('queue'), await queues.create('groups.fifo'), url];
    const picture = join(tmpdir(), `nimbus-${process.pid}-anna.jpg`);
    const face = { kind: 'face' as const, who: people.anna, box: { left: 0.3, top: 0.2, width: 0.4, height: 0.6 } };
    await writeFile(picture, drawPicture({ things: [face] }, { width: 160, height: 120, format: 'jpeg' }));
    const works = { queue: 'queue', fifo: 'groups.fifo', topic, heard: 'heard', picture };
    return new Run(aws, queues, ledger, runner, works, urls);
  }

  async stop(): Promise<void> {
    await this.runner.kill();
    this.queues.close();
    await this.aws.stop();
    await rm(this.works.picture, { force: true });
  }

  async all(times: number, say: (line: string) => void): Promise<Redeployed> {
    const began = Date.now();
    const seconds = () => Math.round((Date.now() - began) / 100) / 10;
    const before = await this.runner.measure();
    await troubleEverything(this.aws);
    const measurements: Measurement[] = [];
    for (let part = 0; part < parts; part += 1) {
      await this.#part(Math.ceil(times / parts));
      measurements.push(await this.runner.measure());
      const heap = ((measurements.at(-1)?.heap ?? 0) / 1e6).toFixed(2);
      say(`${this.#generation} generations, ${seconds()} s, heap ${heap} MB, ${this.ledger.sent.size} messages`);
    }
    const [first, last] = [measurements[0], measurements.at(-1)] as [Measurement, Measurement];
    const { errors } = this.ledger;
    const fates = this.#fates();
    return {
      ...fates,
      problems: [...fates.problems, ...this.#unended(last), ...this.#wrongCopies(), ...this.#outOfOrder()],
      errors,
      faults: countFaults([...this.#faulty.values()]),
      growth: last.heap - first.heap,
      left: await this.runner.left(before.resources),
      messages: this.ledger.sent.size,
      seconds: seconds()
    };
  }

  /** So many redeploys, and the time until all is through. */
  async #part(times: number): Promise<void> {
    const { ledger, runner } = this;
    const from = ledger.sent.size;
    await this.#deploy();
    await hangOne(this.aws);
    const fed = runner.feed({ from, window, groups, again: true });
    for (let done = 1; done <= times; done += 1) {
      await ledger.until(() => this.#open().length > 0, 'a message in a flow');
      await this.#deploy();
      if (done % 25 === 0) await this.#noteFaults();
    }
    await runner.stopFeeding();
    await fed;
    await ledger.until(() => this.#isThrough(), 'empty queues');
    await this.#noteFaults();
    await runner.deploy([]);
  }

  async #deploy(): Promise<void> {
    this.#generation += 1;
    await this.runner.deploy(everyNode(this.aws, this.works, this.#generation));
  }

  /** What the flows have that settle. */
  #open(): Receipt[] {
    return this.ledger.open(name).filter(({ node }) => kindOf(node) !== 'heard');
  }

  async #isThrough(): Promise<boolean> {
    if (this.#open().length > 0) return false;
    const sizes = await Promise.all(this.urls.map((url) => this.queues.size(url)));
    return sizes.every((size) => size === 0);
  }

  /** The local AWS does not remember all requests of a long run. */
  async #noteFaults(): Promise<void> {
    for (const request of await this.aws.requests()) if (request.fault) this.#faulty.set(request.requestId, request);
  }

  /** Messages without their one end. */
  #unended({ messages: { begun, ended } }: Measurement): string[] {
    const { sent, endedTwice } = this.ledger;
    const twice = [...sent].filter(([, { length }]) => length > 1).map(([n]) => n);
    return [
      ...(begun === ended ? [] : [`of ${begun} messages that nodes were given, ${ended} have ended`]),
      ...[...endedTwice, ...twice].map((n) => `${n} has ended twice`)
    ];
  }

  /** Numbers that came as more or fewer messages than one, and one for each time that the sender was not told. */
  #wrongCopies(): string[] {
    const untold = sentUntold([...this.#faulty.values()]);
    const copies = new Map<number, number>();
    for (const [receipt] of this.ledger.receiptsById.values()) {
      if (receipt) copies.set(receipt.n, (copies.get(receipt.n) ?? 0) + 1);
    }
    return [...this.ledger.sent.keys()].flatMap((n) => {
      const entry = entries[n % entries.length] as string;
      if (!['queue', 'fifo', 'topic'].includes(entry)) return [];
      // A FIFO queue knows what it has already.
      const expected = entry === 'fifo' ? 1 : 1 + (untold.get(n) ?? 0);
      const found = copies.get(n) ?? 0;
      return found === expected ? [] : [`${n} (${entry}) came as ${found} messages instead of ${expected}`];
    });
  }

  /** In a group: what came behind a later one. Numbers that failed were given again, behind later ones. */
  #outOfOrder(): string[] {
    const last = new Map<string | undefined, number>();
    const seen = new Set<number>();
    return this.ledger.receipts.flatMap(({ n, node, groupId }) => {
      if (kindOf(node) !== 'fifo' || seen.has(n) || this.ledger.failed.has(n)) return [];
      seen.add(n);
      const former = last.get(groupId) ?? -1;
      last.set(groupId, Math.max(n, former));
      return n > former ? [] : [`${n} of ${groupId} came after ${former}`];
    });
  }

  /** A redeploy costs a message one receive at most. */
  #extraReceives(receipts: Receipt[]): number {
    const { n, node, receiveCount } = receipts.at(-1) as Receipt;
    const redeploys = generationOf(node) - generationOf(this.ledger.begunBy.get(n) ?? node);
    const others = receipts.slice(0, -1).filter(({ end, overtaken }) => end !== 'redeployed' || overtaken).length;
    return Math.max(0, receiveCount - 1 - redeploys - others);
  }

  /** Why messages came again. */
  #fates(): Pick<Redeployed, 'problems' | 'ends' | 'extraReceives' | 'repeated'> {
    const mostRepeated = heldUp([...this.#faulty.values()]);
    const fates = { problems: [] as string[], ends: {} as Record<string, number>, extraReceives: 0, repeated: 0 };
    const passed: string[] = [];
    for (const [id, receipts] of this.ledger.receiptsById) {
      const last = receipts.at(-1) as Receipt;
      if (kindOf(last.node) === 'heard') {
        fates.repeated += receipts.length - 1;
        continue;
      }
      fates.extraReceives += this.#extraReceives(receipts);
      for (const { end, overtaken, at } of receipts) {
        const late = overtaken && Date.now() - at > everyNodeVisibility * 1000;
        const why = late ? 'late' : String(end);
        fates.ends[why] = (fates.ends[why] ?? 0) + 1;
      }
      receipts.slice(0, -1).forEach((receipt, index) => {
        if (receipt.end !== 'settled') return;
        const text = `${receipt.n} came again as ${id}, although it was deleted ${receipt.took} ms after it had come`;
        (wasPassed(receipt, receipts[index + 1] as Receipt) ? passed : fates.problems).push(text);
      });
    }
    if (passed.length > mostPassed) fates.problems.push(...passed);
    const mostExtra = 10 * receivedUntold([...this.#faulty.values()]);
    if (fates.extraReceives > mostExtra) {
      fates.problems.push(
        `${fates.extraReceives} receives too many, of which answers that were lost explain ${mostExtra}`
      );
    }
    if (fates.repeated > mostRepeated) fates.problems.push(`${fates.repeated} came again, ${mostRepeated} held up`);
    return fates;
  }
}

/** How many messages may be deleted just when their time is over. */
const mostPassed = 2;

/**
 * Whether the queue handed a message out again while it was being deleted, since its time was over: on a machine that stands
 * still for a moment. SQS takes a deletion by an older handle for done, and keeps the message.
 */
const wasPassed = ({ overtaken, at, took }: Receipt, next: Receipt): boolean => overtaken || next.at < at + took + 1000;

/** The number of a node's flow. */
const generationOf = (node: string): number => Number(node.split('.')[1]);

/** What a receive node receives from. */
const kindOf = (node: string): string => node.split(/[-.]/)[1] ?? '';

async function main(times: number): Promise<void> {
  const { problems, left, growth, ...figures } = await redeploys(times, (line) => console.log(line));
  console.log(JSON.stringify(figures, null, 2));
  console.log(`left after the undeployment: ${left.join(', ') || 'nothing'}; the heap grew by ${growth} bytes`);
  for (const problem of problems.slice(0, 30)) console.log(problem);
  console.log(`${problems.length + left.length === 0 ? 'PASS' : 'FAIL'}: ${problems.length} problems`);
  process.exitCode = problems.length + left.length > 0 ? 1 : 0;
}

if (require.main === module) {
  main(Number(process.argv[2] ?? 1000)).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
