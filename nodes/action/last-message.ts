/** The last message that reached a node, for its dialog: a small copy, in memory only, until the next deployment. */
import { types } from 'node:util';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { followDeployments } from '../account/account';
import { idInFlow } from '../account/calls';
import { Running } from '../account/running';
import { type SmallCopy, smallCopyOf } from './small-copy';

/** After a message that was copied, none is for so long, ms. */
const pause = 1000;

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

  /** Copies a message, and shows the copy when its fields have been `read`: its secrets are known then. Never throws. */
  take(msg: NodeMessage, read: Promise<unknown> | undefined, secrets: () => string[]): void {
    this.#again = performance.now() + pause;
    // Looking at it would run code of the flow.
    if (types.isProxy(msg)) return;
    try {
      const copy = smallCopyOf(msg);
      // biome-ignore lint/plugin/clock: people read it
      const at = Date.now();
      const show = () => {
        this.#seen = { ...copy, at, secrets: secrets() };
      };
      if (read !== undefined) read.then(show, show).catch(() => undefined);
      else show();
    } catch {
      // A message that cannot be read is none to look at.
    }
  }

  /** To be called when a deployment has started its flows. */
  deployed(): void {
    if (!this.#isNew) this.#seen = undefined;
    this.#isNew = false;
  }

  /** To be called when the node closes. */
  close(): void {
    for (const leave of this.#leave) leave();
    this.#seen = undefined;
  }
}
