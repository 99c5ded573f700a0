import { Readable } from 'node:stream';

/** The SDK rejects a whole answer if a single binary attribute in it is not base64. */
const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[a-z\d+/]*={0,2}$/i.test(text);

/** Replaces a value that is not base64. The SDK lets it pass, and the check of each message then finds it. */
const noBytes = false;

/** The answer with values that are not base64 replaced; the same Buffer if there are none, or if it is not JSON. */
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
  for await (const chunk of body) chunks.push(chunk);
  const [first] = chunks;
  yield withBytes(first && chunks.length === 1 ? first : Buffer.concat(chunks));
}

/** The body of an answer to ReceiveMessage, changed so that an invalid binary attribute spoils only its own message. */
export const withReadableMessages = (body: Readable): Readable => Readable.from(partsOf(body), { objectMode: false });
