import { pipeline, type Readable, Transform } from 'node:stream';
import type { ActionError } from '../fields/errors';
import { ownError } from '../fields/errors';
import { JsonValues } from '../fields/json-values';
import type { ServiceName } from './sdks';

const MiB = 1024 * 1024;

/**
 * The longest answer by service, in bytes when unpacked. AWS sends up to 6 MB from a function and 1 MB of messages, which
 * JSON escapes may multiply (local queues send ten times as much), and far less otherwise. XML is limited to what the SDK's
 * parser reads quickly: it takes a second for 2 MB.
 */
const mostBytes: Readonly<Partial<Record<ServiceName, number>>> = {
  lambda: 16 * MiB,
  sqs: 16 * MiB,
  sns: MiB / 2,
  sts: MiB / 2
};

/** The same for all other services. */
const usuallyMost = 8 * MiB;

/** Most objects, lists and members in the JSON of an answer: some hundred times what AWS sends. Each takes 60 bytes. */
const mostValues = 500_000;

/** Answers up to this many bytes are not checked: whatever they contain, it is little. */
const short = MiB / 4;

/** The head of an answer, and its body as it comes. */
interface Response {
  statusCode: number;
  headers: Record<string, string>;
  body: Readable;
}

/**
 * The error for an answer that is too large to be from AWS. With metadata that has no status, the SDK does not retry
 * it.
 */
function tooLarge(statusCode: number, most: string): ActionError {
  const text = `The answer has more than ${most}, which is far more than AWS sends: it may be from a proxy or gateway; check the endpoint.`;
  return Object.defineProperty(ownError('UnknownError', text, { statusCode }), '$metadata', { value: {} });
}

/** Passes an answer on, and fails once it is too large. */
class AnswerLimit extends Transform {
  #bytes = 0;

  constructor(
    private readonly statusCode: number,
    private readonly most: number,
    private readonly values: JsonValues | undefined
  ) {
    super();
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: (error: Error | null, chunk?: Buffer) => void): void {
    this.#bytes += chunk.length;
    this.values?.addBytes(chunk);
    if (this.#bytes > this.most) done(tooLarge(this.statusCode, `${this.most / MiB} MiB`));
    else if ((this.values?.count ?? 0) > mostValues) done(tooLarge(this.statusCode, `${mostValues} values`));
    else done(null, chunk);
  }
}

/**
 * The body of an answer, limited to more than the service ever sends: an endless answer would fill the memory. Beyond
 * the limit the body fails with `UnknownError` and its connection is closed; if the header `content-length` is too
 * large already, the function throws. Compressed answers have to be unpacked first. `isPayload`: the SDK passes the
 * bytes of a successful answer on without parsing them.
 */
export function limitAnswer(
  { statusCode, headers, body }: Response,
  service: ServiceName,
  isPayload: boolean
): Readable {
  const length = Number(headers['content-length'] ?? Number.NaN);
  if (length <= short) return body;
  const most = mostBytes[service] ?? usuallyMost;
  if (length > most) {
    body.destroy();
    throw tooLarge(statusCode, `${most / MiB} MiB`);
  }
  const isJson = service !== 'sns' && service !== 'sts' && !(isPayload && statusCode < 300);
  const limit = new AnswerLimit(statusCode, most, isJson ? new JsonValues() : undefined);
  return pipeline(body, limit, () => undefined);
}

/** The bytes of an answer, for the SDK: its own way of reading them, through another stream, takes several times as long. */
export const bytesOfAnswer = (body: Readable): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    body.on('error', reject);
  });
