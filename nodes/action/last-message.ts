/** The last message that reached a node, for its dialog: a small copy, in memory only, until the next deployment. */
import { types } from 'node:util';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { followDeployments } from '../account/account';
import { idInFlow } from '../account/calls';
import { Running } from '../account/running';
import { type SmallCopy, smallCopyOf } from './small-copy';

/** After a message that was copied, none is for so long, ms. */
const shortestPause = 1000;
/** Nor for so many times as long as it took: an object of a million members takes long to read, whatever little is copied. */
const pauses = 100;

/** A message that has reached a node. */
export interface SeenMessage extends SmallCopy {
  /** When it came, ms since 1970. */
  readonly at: number;
  /** What must not be shown of it: secrets of the account, and those that the message has brought. */
  readonly secrets: readonly string[];
}

/** Whether the settings of Node-RED let nodes keep copies of messages. */
export const mayKeepMessages = ({ settings }: NodeAPI): boolean =>
  (settings as { awsAccountLastMessages?: unknown }).awsAccountLastMessages !== false;

/** The last messages of all nodes that run. */
export const lastMessages = new Running<LastMessage>();

/** The last message of a node. */
export class LastMessage {
  /** The ID of the node in the flow. */
  readonly node: string;
  #seen: SeenMessage | undefined;
  /** How many messages were copied, and which of them is shown, or the last one that no longer may be. */
  #copied = 0;
  #shown = 0;
  /** Before this time no message is copied, ms of `performance.now()`. */
  #again = -Infinity;
  /** The deployment that has made the node forgets nothing: a message may have come before its end. */
  #isNew = true;
  readonly #leave: (() => void)[];

  constructor(RED: NodeAPI, node: Node) {
    this.node = idInFlow(node);
    this.#leave = [lastMessages.add(RED, this), followDeployments(RED, this)];
    if (!mayKeepMessages(RED)) this.#again = Infinity;
  }

  get seen(): SeenMessage | undefined {
    return this.#seen;
  }

  /** Whether the next message is to be copied: to be asked first, since it costs next to nothing. */
  get isDue(): boolean {
    return performance.now() >= this.#again;
  }

  /**
   * Copies a message, and shows the copy when its fields have been `read`: its secrets are known then. If they are not, since
   * what may be one could not be read, `secrets` gives nothing, and the message is not shown. Never throws.
   */
  take(msg: NodeMessage, read: Promise<unknown> | undefined, secrets: () => string[] | undefined): void {
    const began = performance.now();
    this.#copy(msg, read, secrets);
    const ended = performance.now();
    this.#again = ended + Math.max(shortestPause, pauses * (ended - began));
  }

  #copy(msg: NodeMessage, read: Promise<unknown> | undefined, secrets: () => string[] | undefined): void {
    // Looking at it would run code of the flow.
    if (types.isProxy(msg)) return;
    try {
      const copy = smallCopyOf(msg);
      // biome-ignore lint/plugin/clock: people read it
      const at = Date.now();
      this.#copied += 1;
      const number = this.#copied;
      const show = () => {
        const known = secrets();
        if (known === undefined || number <= this.#shown) return;
        this.#shown = number;
        this.#seen = { ...copy, at, secrets: known };
      };
      if (read !== undefined) read.then(show, show).catch(() => undefined);
      else show();
    } catch {
      // A message that cannot be read is none to look at.
    }
  }

  /** To be called when a deployment has started its flows. */
  deployed(): void {
    if (!this.#isNew) this.#forget();
    this.#isNew = false;
  }

  /** To be called when the node closes. */
  close(): void {
    for (const leave of this.#leave) leave();
    this.#forget();
  }

  /** Also of messages whose fields are still being read. */
  #forget(): void {
    this.#seen = undefined;
    this.#shown = this.#copied;
  }
}
