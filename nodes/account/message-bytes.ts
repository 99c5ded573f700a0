import { Readable } from 'node:stream';

/** The SDK takes nothing else for bytes, and refuses the answer as a whole where one of its messages has something else. */
const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[a-z\d+/]*={0,2}$/i.test(text);

/** What stands in an answer for bytes that are none: the SDK lets it pass, and a message that has it is not as SQS gives them. */
const noBytes = false;

/** An answer in which what cannot be read as bytes is none; the same one where all can, or where it is no JSON. */
function withBytes(answer: Buffer): Buffer {
  if (!answer.includes('"Binary')) return answer;
  let isChanged = false;
  const read = (value: unknown): unknown => {
    if (typeof value !== 'string' || isBase64(value)) return value;
    isChanged = true;
    return noBytes;
  };
  const mend = (name: string, value: unknown): unknown => {
    if (name === 'BinaryValue') return read(value);
    return name === 'BinaryListValues' && Array.isArray(value) ? value.map(read) : value;
  };
  try {
    const mended: unknown = JSON.parse(answer.toString(), mend);
    return isChanged ? Buffer.from(JSON.stringify(mended)) : answer;
  } catch {
    return answer;
  }
}

async function* partsOf(body: Readable): AsyncGenerator<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  yield withBytes(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
}

/** The body of an answer with messages, of which each stands alone: bytes of one that are none leave the others readable. */
export const withReadableMessages = (body: Readable): Readable => Readable.from(partsOf(body), { objectMode: false });
