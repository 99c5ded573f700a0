import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { foreignAnswer } from '../fields/errors';

/** An answer as it was received. */
interface WireAnswer {
  statusCode: number;
  headers: Record<string, string | undefined>;
  body?: Readable;
}

/** Bytes that are unpacked at a time. Each chunk waits for a turn of the event loop, so there should be few. */
const chunkSize = 256 * 1024;

/** Decompressors by the HTTP header `content-encoding`. */
const unpackers: Readonly<Record<string, (options: { chunkSize: number }) => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress
};

/** For an answer that cannot be unpacked. This name marks it as not from AWS. */
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
  // Ends the unpacker even if the connection has broken before anybody reads; the error itself is thrown below.
  pipeline(packed, unpacker, () => undefined);
  try {
    yield* unpacker;
  } catch {
    // Such as a 204, whatever its head says of a body.
    if (!isEmpty || !packed.readableEnded) throw broken ?? unreadable();
  }
}

function unpacked(packed: Readable, unpacker: Transform): Readable {
  const body = Readable.from(partsOf(packed, unpacker), { objectMode: false });
  // If the reader stops early, everything is closed.
  body.once('close', () => {
    packed.destroy();
    unpacker.destroy();
  });
  return body;
}

/**
 * Unpacks the body of an answer in place. AWS compresses no answer unless asked to, but gateways and proxies may. The size is
 * not limited here, although it can be a thousand times what was received. Throws `UnknownError` for an unknown encoding, and
 * for an answer with a status below 200, such as 101.
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

/** Closes the connection of an answer that nobody will read, and returns the error for it. */
function refused({ statusCode, body }: WireAnswer): Error {
  body?.destroy();
  return foreignAnswer(statusCode);
}
