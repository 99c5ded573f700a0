/** A Node-RED with the pack, the local AWS and the line between them, all in this process and in its virtual time. */
import { subscribe } from 'node:diagnostics_channel';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { drawPicture, people } from '../../local-aws/rekognition/drawings';
import { startLocalAws } from '../../local-aws/server';
import { controlPath } from '../../local-aws/server/control';
import type { InvocationRecord } from '../../local-aws/server/records';
import { type FlowNode, type Message, makeUserDir, nodeRedVersion } from '../node-red';
import { type Pace, Wire } from '../wire';
import { at, Books, type Kind, kinds, type received, type Trouble } from './bad-line-books';
import { allDay } from './flows';
import { Queues } from './queues';
import type { VirtualTime } from './virtual-time';

/** What happens. Times in s. */
export interface Plan {
  length: number;
  /** How many times all connections die without a word. */
  deaths: number;
  /** How many times they are reset for a few seconds, each time when a message has just been received. */
  resets: number;
  /** How far the clock of this machine is ahead after each time that it is set. */
  jumps: number[];
  /** For how long a portal answers in place of AWS. */
  portal: number;
  /** For how long the line carries 64 kbit/s. */
  slow: number;
  /** How long credentials hold. */
  credentials: number;
  /** Between two messages of one kind; pictures come three times less often. */
  every: number;
}

export interface Report {
  /** What must not be. */
  problems: string[];
  figures: Record<string, unknown>;
}

/** Bytes a ms, in each direction. */
const slowPace = { bytes: 512, ms: 64, most: Infinity, shared: true };
/** How long a message may be on its way, s: an invocation has 900. */
const longest = 1200;
const groups = 4;
const picturesEvery = 3;
/** How many invocations leave their connections behind before these die, and how long before that, s. */
const burst = { size: 40, before: 3 };
/** How long it takes at most until the next message is received, s. */
const longestGap = 60;
/** How long connections are reset, s. */
const resetting = 5;

interface RunningNode {
  id: string;
  type: string;
  receive(msg: Message): void;
}

interface Runtime {
  init(server: unknown, settings: object): void;
  start(): Promise<void>;
  hooks: { add(name: string, handler: (event: never) => void): void };
  nodes: { getNode(id: string): RunningNode };
  events: { once(name: string, listener: () => void): void };
  runtime: { flows: { setFlows(options: object): Promise<unknown> } };
}

/** Lives through the plan. */
export async function liveThrough(plan: Plan, time: VirtualTime, say: (line: string) => void): Promise<Report> {
  const setUp = time.hold();
  const running = time.run();
  const day = await Day.begin(plan, time, say);
  setUp();
  await Promise.race([day.pass(), running]);
  const report = await day.end();
  time.end();
  return report;
}

class Day {
  readonly #books: Books;
  readonly #begun: number;
  /** How many connections died, by each time that all of them did. */
  readonly #died: number[] = [];
  #n = 0;
  #whenReceived: (() => void) | undefined;

  private constructor(
    private readonly plan: Plan,
    private readonly time: VirtualTime,
    private readonly say: (line: string) => void,
    private readonly aws: string,
    private readonly portal: Portal,
    private readonly wire: Wire,
    private readonly runtime: Runtime,
    private readonly queues: Queues,
    private readonly urls: string[],
    private readonly leavings: string[]
  ) {
    this.#begun = time.now;
    const usual = 1 / plan.every;
    const rates = { queue: usual, fifo: usual, topic: usual, invoke: usual, detect: usual / picturesEvery };
    this.#books = new Books(() => this.#now, rates);
    this.#watch();
  }

  static async begin(plan: Plan, time: VirtualTime, say: (line: string) => void): Promise<Day> {
    const { url } = await time.asService(() => startLocalAws());
    const wire = await Wire.start(url);
    const portal = await startPortal();
    const queues = new Queues({ url });
    const { topic, url: heardUrl } = await queues.createTopic('heard');
    const urls = [await queues.create('queue'), await queues.create('groups.fifo'), heardUrl];
    const picture = join(tmpdir(), `nimbus-${process.pid}-bad-line.jpg`);
    const face = { kind: 'face' as const, who: people.anna, box: { left: 0.3, top: 0.2, width: 0.4, height: 0.6 } };
    await writeFile(picture, drawPicture({ things: [face] }, { width: 160, height: 120, format: 'jpeg' }));
    const works = { queue: 'queue', fifo: 'groups.fifo', topic, heard: 'heard', picture };
    holdForWork(time, Number(new URL(url).port));
    const { runtime, userDir } = await startNodeRed();
    const leavings = [picture, userDir];
    const day = new Day(plan, time, say, url, portal, wire, runtime, queues, urls, leavings);
    await deploy(runtime, allDay({ url: wire.url }, works, plan.credentials));
    return day;
  }

  /** Lives through it, until all messages have ended. */
  async pass(): Promise<void> {
    const began = process.hrtime.bigint();
    const hourly = setInterval(() => {
      const took = Number((process.hrtime.bigint() - began) / 1_000_000_000n);
      this.say(
        `${at(this.#now)}, ${this.#n} rounds, ${took} s, ${this.#books.open} open, ${this.wire.open} connections`
      );
    }, 3_600_000);
    const feeding = setInterval(() => this.#feed(), this.plan.every * 1000);
    const troubles = this.#troubles().map(({ start, work }) => wait(start * 1000).then(work));
    await wait(this.plan.length * 1000);
    await Promise.all(troubles);
    clearInterval(feeding);
    this.#setClock(0);
    for (let left = longest; left > 0 && (await this.#isBusy()); left -= 10) await wait(10_000);
    clearInterval(hourly);
  }

  async end(): Promise<Report> {
    const { problems } = this.#books;
    const sizes = await Promise.all(this.urls.map((url) => this.queues.size(url)));
    for (const [index, size] of sizes.entries())
      if (size > 0) problems.push(`${size} messages are left in queue ${index}`);
    const figures = this.#books.judge(await this.#runs());
    this.#checkTroubles();
    for (const path of this.leavings) await rm(path, { recursive: true, force: true });
    return { problems, figures: { ...figures, died: this.#died, answeredByPortal: this.portal.answers } };
  }

  /** What was to go wrong has to have done so: otherwise nothing is shown. */
  #checkTroubles(): void {
    const { length, credentials } = this.plan;
    const { problems, troubles } = this.#books;
    const renewals = troubles.filter(({ what }) => what === 'renewal').length;
    if (renewals < Math.floor(length / credentials) - 1)
      problems.push(`credentials were renewed ${renewals} times only`);
    if (this.portal.answers === 0) problems.push('the portal has answered nothing');
    if (Math.min(...this.#died) === 0) problems.push('there was nothing to die');
  }

  /** s since the beginning. */
  get #now(): number {
    return (this.time.now - this.#begun) / 1000;
  }

  /** What goes wrong, and when. */
  #troubles(): { start: number; work: () => unknown }[] {
    const { length, deaths, resets, jumps, portal, slow } = this.plan;
    const setPace = (pace?: Pace) => {
      this.wire.pace = pace;
    };
    const all: { start: number; work: () => unknown }[] = [
      // Between two deaths: the portal keeps no connection that could die.
      { start: 0.33 * length, work: () => this.#lastFor('portal', portal, this.#toPortal, this.#toAws) },
      { start: 0.6 * length, work: () => this.#lastFor('slow', slow, () => setPace(slowPace), setPace) }
    ];
    for (let each = 0; each < deaths; each += 1)
      all.push({ start: ((each + 0.45) * length) / deaths, work: () => this.#lastFor('death', 0, this.#die) });
    for (let each = 0; each < deaths; each += 1)
      all.push({ start: ((each + 0.45) * length) / deaths - burst.before, work: this.#burst });
    for (let each = 0; each < resets; each += 1)
      all.push({ start: ((each + 0.15) * length) / resets, work: this.#resetAtNext });
    for (const [index, ahead] of jumps.entries()) {
      const start = ((index + 0.8) * length) / jumps.length;
      all.push({ start, work: () => this.#lastFor('jump', 0, () => this.#setClock(ahead)) });
    }
    return all;
  }

  async #lastFor(
    what: Trouble['what'],
    seconds: number,
    begin: () => void,
    end: () => void = () => undefined
  ): Promise<void> {
    const trouble = { what, start: this.#now, end: this.#now + seconds };
    this.#books.troubles.push(trouble);
    begin();
    if (seconds > 0) await wait(seconds * 1000);
    end();
  }

  readonly #die = (): void => {
    this.#died.push(this.wire.open - this.wire.dead);
    this.wire.die();
  };

  /** Resets all connections once a message has been received, before it is deleted. */
  readonly #resetAtNext = async (): Promise<void> => {
    const received = new Promise<void>((resolve) => {
      this.#whenReceived = () => {
        this.#setClosed(true);
        resolve();
      };
    });
    // Where none comes at all, that is found out at the end.
    await Promise.race([received, wait(longestGap * 1000)]);
    await this.#lastFor(
      'reset',
      resetting,
      () => undefined,
      () => this.#setClosed(false)
    );
  };

  #setClosed(isClosed: boolean): void {
    this.#whenReceived = undefined;
    this.wire.isClosed = isClosed;
    if (isClosed) this.wire.reset();
  }

  readonly #burst = (): void => {
    for (let each = 0; each < burst.size; each += 1) {
      this.#n += 1;
      this.#give('invoke', this.#n);
    }
  };

  /** Its firewall forgets the connections that there are. */
  readonly #toPortal = (): void => {
    this.wire.behind = this.portal.url;
    this.wire.die();
  };

  readonly #toAws = (): void => {
    this.wire.behind = this.aws;
  };

  #setClock(seconds: number): void {
    this.time.ahead = seconds * 1000;
  }

  #feed(): void {
    this.#n += 1;
    const n = this.#n;
    for (const kind of kinds) {
      if (kind === 'detect' && n % picturesEvery !== 0) continue;
      this.#give(kind, n);
    }
  }

  #give(kind: Kind, n: number): void {
    this.#books.begin(kind, n);
    const message = { n, payload: { n }, group: `group-${n % groups}`, once: `message-${n}` };
    this.runtime.nodes.getNode(`entry-${kind}`).receive({ _msgid: `${kind}-${n}`, ...message });
  }

  #watch(): void {
    this.runtime.hooks.add(
      'onComplete.books',
      (event: { msg: Message; error?: { code?: string }; node: { id: string } }) => {
        const [, kind] = /^entry-(.*)$/.exec(event.node.id) ?? [];
        if (kind) this.#books.end(kind as Kind, event.msg.n as number, event.error && String(event.error.code));
      }
    );
    this.runtime.hooks.add('onSend.books', (sent: { msg: Message; source: { id: string } }[]) => {
      for (const { msg, source } of sent) {
        const [, kind] = /^receive-(.*)$/.exec(source.id) ?? [];
        if (!kind) continue;
        const { n } = msg.payload as { n: number };
        this.#books.receive(kind as (typeof received)[number], n, String(msg.aws?.messageId));
        if (kind === 'topic') this.#whenReceived?.();
      }
    });
    process.on('unhandledRejection', (reason) => this.#books.problems.push(`nobody has handled ${String(reason)}`));
    let signer: string | undefined;
    subscribe('http.server.request.start', (event) => {
      const { request } = event as { request: IncomingMessage };
      const [, key] = /Credential=(ASIA\w+)/.exec(request.headers.authorization ?? '') ?? [];
      if (!key || key === signer || request.socket.localPort !== Number(new URL(this.aws).port)) return;
      if (signer !== undefined && this.#now < this.plan.length)
        this.#books.troubles.push({ what: 'renewal', start: this.#now, end: this.#now });
      signer = key;
    });
  }

  async #isBusy(): Promise<boolean> {
    if (this.#books.open > 0) return true;
    const sizes = await Promise.all(this.urls.map((url) => this.queues.size(url)));
    return sizes.some((size) => size > 0);
  }

  /** How often the function ran with each number. */
  async #runs(): Promise<Map<number, number>> {
    const answer = await fetch(`${this.aws}${controlPath}invocations`, { method: 'POST', body: '{}' });
    const records = (await answer.json()) as InvocationRecord[];
    const runs = new Map<number, number>();
    for (const { event } of records) {
      const { n } = event as { n: number };
      runs.set(n, (runs.get(n) ?? 0) + 1);
    }
    return runs;
  }
}

/** Functions and pictures are the work of other threads. A request for messages waits, and lets time pass. */
function holdForWork(time: VirtualTime, port: number): void {
  subscribe('http.server.request.start', (event) => {
    const { request, response } = event as { request: IncomingMessage; response: ServerResponse };
    const { 'x-amz-target': target } = request.headers;
    if (request.socket.localPort !== port || String(target).endsWith('.ReceiveMessage')) return;
    request.once('end', () => response.once('close', time.hold()));
  });
}

interface Portal {
  readonly url: string;
  /** How many it has given. */
  answers: number;
}

/**
 * What a hotel or a train answers before somebody has agreed to its terms: each time something else, and by a clock of its
 * own. It keeps no connection.
 */
async function startPortal(): Promise<Portal> {
  const page = '<!DOCTYPE html><html><body>Welcome! Please sign in.</body></html>';
  const answers: [status: number, type: string, body: string][] = [
    [200, 'text/html', page],
    [302, 'text/html', ''],
    [200, 'application/json', '{}'],
    [511, 'text/html', page],
    [429, 'text/html', page],
    [200, 'application/json', '{"status":"login"}']
  ];
  // What a function gives may be any JSON: over plain HTTP nobody can tell a portal's.
  const pages = answers.filter(([, type]) => type === 'text/html');
  const portal = { url: '', answers: 0 };
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      const possible = request.url?.endsWith('/invocations') ? pages : answers;
      const [status, type, body] = possible[portal.answers % possible.length] as (typeof answers)[number];
      portal.answers += 1;
      response.writeHead(status, {
        'Content-Type': type,
        Date: 'Thu, 01 Jan 2015 00:00:00 GMT',
        Location: 'http://portal.example/',
        Connection: 'close'
      });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  portal.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return portal;
}

async function startNodeRed(): Promise<{ runtime: Runtime; userDir: string }> {
  const userDir = await makeUserDir(resolve(__dirname, '..', '..'));
  const runtime = createRequire(__filename)(nodeRedVersion === 4 ? 'node-red-4' : 'node-red') as Runtime;
  runtime.init(createServer(), {
    userDir,
    flowFile: 'flows.json',
    credentialSecret: 'the secret of the tests',
    httpAdminRoot: false,
    httpNodeRoot: false,
    telemetry: { enabled: false, updateNotification: false },
    logging: { console: { level: 'off' } }
  });
  const started = new Promise<void>((resolve) => runtime.events.once('flows:started', resolve));
  await runtime.start();
  await started;
  return { runtime, userDir };
}

async function deploy(runtime: Runtime, flows: FlowNode[]): Promise<void> {
  const started = new Promise<void>((resolve) => runtime.events.once('flows:started', resolve));
  await Promise.all([started, runtime.runtime.flows.setFlows({ flows: { flows }, deploymentType: 'full' })]);
}
