/** The last message that reached a node, for the dialog that shows what its expressions make of it. */
import type { NodeAPI } from 'node-red';
import { redact, redactDeep } from '../account/redaction';
import { lastMessages, mayKeepMessages, type SeenMessage } from '../action/last-message';
import { isObject } from '../fields/json';

/** A copy of a message, as it may be shown. */
export interface ShownMessage {
  readonly message: unknown;
  /** When it came, ms since 1970. */
  readonly at: number;
  /** Whether something of it was left out, shortened or struck out. */
  readonly isShortened: boolean;
}

/** Why there is none: `off`, by the settings; `none`: none has come since the last deployment. */
interface NoMessage {
  readonly refusal: { kind: 'off' | 'none' };
}

export type LastMessageAnswer = ShownMessage | NoMessage;

/** A shorter beginning of a secret at the end of a text may be anything. */
const shortestBeginning = 4;

/** A shortened text without the beginning of a secret that it ends with. */
function withoutBeginning(text: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    for (let length = secret.length; length >= shortestBeginning; length -= 1) {
      if (text.endsWith(secret.slice(0, length))) return `${text.slice(0, -length)}***`;
    }
  }
  return text;
}

/** Strikes out secrets in Buffers, and beginnings of secrets where a text was shortened. */
function withoutPieces(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string' && value.endsWith('…')) return `${withoutBeginning(value.slice(0, -1), secrets)}…`;
  if (!isObject(value) || value.type !== 'Buffer' || !Array.isArray(value.data)) return value;
  const text = Buffer.from(value.data).toString('latin1');
  return withoutBeginning(redact(text, secrets), secrets) === text ? value : '***';
}

function shown({ json, at, isShortened, secrets }: SeenMessage): ShownMessage {
  const message: unknown = JSON.parse(json, (_, value) => withoutPieces(value, secrets));
  return { message: redactDeep(message, secrets), at, isShortened };
}

/** The last message of the node with this ID; in a subflow, that of the instance which had the last one. */
export function newestMessageOf(RED: NodeAPI, id: unknown): SeenMessage | NoMessage {
  if (!mayKeepMessages(RED)) return { refusal: { kind: 'off' } };
  const all = lastMessages.in(RED).flatMap(({ node, seen }) => (node === id && seen ? [seen] : []));
  return all.toSorted((one, other) => one.at - other.at).at(-1) ?? { refusal: { kind: 'none' } };
}

/** The last message of the node with this ID, as it may be shown. */
export async function lastMessageOf(RED: NodeAPI, id: unknown): Promise<LastMessageAnswer> {
  const last = newestMessageOf(RED, id);
  return 'refusal' in last ? last : shown(last);
}
