import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { foreignAnswer } from '../fields/errors';

/** An answer as it comes over the wire. */
interface WireAnswer {
  statusCode: number;
  headers: Record<string, string | undefined>;
  body?: Readable;
}

/** Bytes that come out at a time: each such piece waits for a turn of the event loop, which other answers may make long. */
const chunkSize = 256 * 1024;

/** The ways to pack an answer, by their names in HTTP. */
const unpackers: Readonly<Record<string, (options: { chunkSize: number }) => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress
};

/** The SDK fails to read such an answer; by this name it is known for none of AWS's. */
const unreadable = (): Error => Object.assign(new Error('The answer cannot be unpacked.'), { name: 'UnknownError' });

async function* partsOf(packed: Readable, unpacker: Transform): AsyncGenerator<Buffer> {
  let broken: Error | undefined;
  let isEmpty = true;
  packed
    .once('error', (error) => {
      broken = error;
    })
    .once('data', () => {
      isEmpty = false;
    });
  // Ends the unpacker also where the connection has broken before anybody reads: nothing is told of that any more.
  pipeline(packed, unpacker, () => undefined);
  try {
    yield* unpacker as AsyncIterable<Buffer>;
  } catch {
    // Such as a 204, whatever its head says of a body.
    if (!isEmpty || !packed.readableEnded) throw broken ?? unreadable();
  }
}

function unpacked(packed: Readable, unpacker: Transform): Readable {
  const body = Readable.from(partsOf(packed, unpacker), { objectMode: false });
  // Whoever does not want the rest, or not any longer, ends it all.
  body.once('close', () => {
    packed.destroy();
    unpacker.destroy();
  });
  return body;
}

/**
 * Unpacks the body of an answer, in place: AWS packs none that nobody has asked for, but gateways and proxies may. How much
 * comes of it is not known here: a thousandth of it may come over the wire. Throws
 * `UnknownError` for one that is packed in an unknown way, and for one that only announces another answer, such as a 101.
 */
export function unpack(answer: WireAnswer): void {
  const { statusCode, headers, body } = answer;
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  if (statusCode < 200) throw refused(answer);
  if (!encoding || encoding === 'identity' || !body) return;
  const unpacker = Object.hasOwn(unpackers, encoding) && unpackers[encoding];
  if (!unpacker) throw refused(answer);
  answer.body = unpacked(body, unpacker({ chunkSize }));
  delete headers['content-encoding'];
  delete headers['content-length'];
}

/** Nobody will read it: its connection must not stay open for that. */
function refused({ statusCode, body }: WireAnswer): Error {
  body?.destroy();
  return foreignAnswer(statusCode);
}
