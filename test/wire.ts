/** A wire between the nodes and the local AWS, of which connections can die without a word. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** How slow a wire is: a piece of so many bytes each so many ms, for so many bytes of each direction of a connection. */
export interface Pace {
  bytes: number;
  ms: number;
  most: number;
  /** All connections have this pace together, not each of them. */
  shared?: boolean;
}

/** From the nodes or to them. */
type Way = 'up' | 'down';

export class Wire {
  readonly #connections = new Set<Connection>();
  /** When all has passed that shares a pace, ms. */
  readonly #free = { up: 0, down: 0 };
  #changed: () => void = () => undefined;
  /** How slow it is; as fast as can be at first. */
  pace: Pace | undefined;
  /** Whether whoever connects is refused. */
  isClosed = false;

  private constructor(
    private readonly server: Server,
    /** Where new connections lead to; at first the local AWS. */
    public behind: string
  ) {}

  /** @param behind the address of the local AWS */
  static async start(behind: string): Promise<Wire> {
    // Otherwise the kernel would keep small pieces back, and in real time.
    const server = createServer({ noDelay: true });
    const wire = new Wire(server, behind);
    server.on('connection', (near) => {
      if (wire.isClosed) {
        near.resetAndDestroy();
        return;
      }
      const { hostname, port } = new URL(wire.behind);
      wire.#add(new Connection(near, connect({ host: hostname, port: Number(port), noDelay: true }), wire));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** How long what takes so many ms has to wait until it has passed, behind what other connections have to pass. */
  queue(ms: number, way: Way): number {
    const now = performance.now();
    this.#free[way] = Math.max(now, this.#free[way]) + ms;
    return this.#free[way] - now;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#connections.size;
  }

  /** From now on nothing goes through the connections that there are, and nobody is told. New ones are alive. */
  die(): void {
    for (const connection of this.#connections) connection.die();
  }

  /** Resets the connections that there are. */
  reset(): void {
    for (const { near } of this.#connections) near.resetAndDestroy();
  }

  /** How many of them the other side has not closed yet. */
  get dead(): number {
    return [...this.#connections].filter(({ isDead }) => isDead).length;
  }

  /** Closes the dead ones, so that both sides notice. */
  cut(): void {
    for (const connection of this.#connections) if (connection.isDead) connection.close();
  }

  /** Resolves when at most so many of the dead ones are open. */
  async untilDead(most: number): Promise<void> {
    while (this.dead > most) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const connection of this.#connections) connection.close();
    await closed;
  }

  #add(connection: Connection): void {
    this.#connections.add(connection);
    connection.near.once('close', () => {
      this.#connections.delete(connection);
      this.#changed();
    });
  }
}

/** From the nodes, `near`, to the local AWS, `far`. */
class Connection {
  isDead = false;

  constructor(
    readonly near: Socket,
    private readonly far: Socket,
    private readonly wire: Wire
  ) {
    for (const [from, to, way] of [
      [near, far, 'up'],
      [far, near, 'down']
    ] as const) {
      let passed = 0;
      from.on('data', (bytes) => {
        const { pace } = this.wire;
        if (!pace || passed >= pace.most) this.#pass(bytes, to);
        else void this.#trickle(bytes, from, to, way, pace);
        passed += bytes.length;
      });
      from.on('close', () => this.isDead || to.destroy());
      from.on('error', () => undefined);
    }
  }

  #pass(bytes: Buffer, to: Socket): void {
    if (!this.isDead) to.write(bytes);
  }

  async #trickle(bytes: Buffer, from: Socket, to: Socket, way: Way, pace: Pace): Promise<void> {
    from.pause();
    for (let start = 0; start < bytes.length; start += pace.bytes) {
      const piece = bytes.subarray(start, start + pace.bytes);
      const ms = (pace.ms * piece.length) / pace.bytes;
      await wait(pace.shared ? this.wire.queue(ms, way) : ms);
      this.#pass(piece, to);
    }
    from.resume();
  }

  die(): void {
    this.isDead = true;
    // What was on its way does not arrive.
    this.far.destroy();
  }

  close(): void {
    this.near.destroy();
    this.far.destroy();
  }
}
