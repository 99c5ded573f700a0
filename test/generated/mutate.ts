/** What is done to bytes that a service, a camera or a sender gives, to make of good ones what nobody foresees. */

export type Mutation =
  /** Turns a bit at a place, from 0 to 1, of the whole. */
  | { do: 'flip'; at: number; bit: number }
  | { do: 'cut'; at: number }
  | { do: 'insert'; at: number; text: string; times: number }
  /** Puts a text in place of one of the values of a JSON or XML text. */
  | { do: 'value'; at: number; text: string; times: number }
  /** Puts a text in place of all. */
  | { do: 'all'; text: string; times: number; end: string }
  /** Sets a big-endian number, as headers of pictures have them. */
  | { do: 'number'; at: number; bytes: 2 | 4; value: number };

/** Bytes of which nothing longer is made, and in which values are looked for. */
const longest = 20_000_000;
const lookedAt = 100_000;

const placeIn = (bytes: Buffer, at: number): number => Math.min(bytes.length, Math.floor(at * (bytes.length + 1)));

function splice(bytes: Buffer, from: number, to: number, text: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), text, bytes.subarray(to)]);
}

/** The places of the values of a text: what is behind a colon, in a list, or between two tags. */
function valuesOf(text: string): [from: number, to: number][] {
  const found = text.matchAll(/(?<=[:[,]|>)(?:"[^"]*"|[\w.-]+|[^<>"{}[\]:,]+)(?=[,}\]]|<)/g);
  return [...found].map(({ index, 0: value }) => [index, index + value.length]);
}

export function mutate(bytes: Buffer, mutations: readonly Mutation[]): Buffer {
  let changed: Buffer = Buffer.from(bytes);
  for (const each of mutations) {
    if (changed.length > longest) break;
    if (each.do === 'all')
      changed = Buffer.concat([Buffer.alloc(each.text.length * each.times, each.text), Buffer.from(each.end)]);
    else {
      const at = placeIn(changed, each.at);
      if (each.do === 'cut') changed = changed.subarray(0, at);
      else if (each.do === 'insert') changed = splice(changed, at, at, Buffer.from(each.text.repeat(each.times)));
      else if (each.do === 'flip') changed[at] = (changed[at] ?? 0) ^ (1 << each.bit);
      else if (each.do === 'number') {
        if (at + each.bytes <= changed.length) changed.writeUIntBE(each.value % 256 ** each.bytes, at, each.bytes);
      } else {
        const values = valuesOf(changed.toString('latin1', 0, lookedAt));
        const [from, to] = values[Math.floor(each.at * values.length)] ?? [at, at];
        changed = splice(changed, from, to, Buffer.from(each.text.repeat(each.times)));
      }
    }
  }
  return changed;
}
