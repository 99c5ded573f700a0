/** Who is signed in with an account, for the sidebar: asked while somebody looks, and not more often than needed. */

import { type CallerIdentity, callerIdentity } from '../account/caller-identity';
import type { CallFailure } from '../account/calls';
import type { Clients } from '../account/clients';
import { toActionError } from '../account/to-action-error';
import { within } from '../action/within';

/** How long an answer is good for, ms: one that says who it is, and one that says why not. */
const goodFor = 60_000;
const refusalGoodFor = 10_000;
/** How long an answer is waited for, ms: the metadata of an instance, an SSO portal and STS may be asked in turn. */
const longestAnswer = 15_000;

/** What is known of a sign-in; nothing until the first answer. */
export interface Presence {
  readonly identity?: CallerIdentity | undefined;
  /** When the credentials expire, ms since 1970; `undefined`: never. */
  readonly until?: number | undefined;
  readonly refusal?: CallFailure | undefined;
}

class Lookout {
  known: Presence = {};
  #again = -Infinity;
  #accessKeyId: string | undefined;

  constructor(private readonly clients: Clients) {}

  /** What is known. If that is old, the service is asked anew, and the answer is known the next time. */
  look(): Presence {
    if (performance.now() >= this.#again) {
      this.#again = Infinity;
      within(longestAnswer, (signal) => this.#ask(signal)).catch((thrown: unknown) => this.#refused(thrown));
    }
    return this.known;
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { accessKeyId, expiration } = await this.clients.identity();
    // The same keys are always those of the same one.
    const identity =
      accessKeyId === this.#accessKeyId ? this.known.identity : await callerIdentity(this.clients, signal);
    signal.throwIfAborted();
    this.#accessKeyId = accessKeyId;
    this.known = { identity, until: expiration?.getTime() };
    this.#again = performance.now() + goodFor;
  }

  #refused(thrown: unknown): void {
    const context = { service: 'sts', operation: 'GetCallerIdentity', secrets: this.clients.secrets() };
    const { name, message } = toActionError(thrown, context);
    this.#accessKeyId = undefined;
    this.known = { refusal: { name, message } };
    this.#again = performance.now() + refusalGoodFor;
  }
}

/** By the clients of the deployed account. */
const lookouts = new WeakMap<Clients, Lookout>();

/** What is known of who is signed in. */
export function presenceOf(clients: Clients): Presence {
  const lookout = lookouts.get(clients) ?? new Lookout(clients);
  lookouts.set(clients, lookout);
  return lookout.look();
}
