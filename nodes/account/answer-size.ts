import { pipeline, type Readable, Transform } from 'node:stream';
import type { ActionError } from '../fields/errors';
import { ownError } from '../fields/errors';
import { JsonValues } from '../fields/json-values';
import type { ServiceName } from './sdks';

const MiB = 1024 * 1024;

/**
 * Bytes of an answer at most, unpacked. AWS gives 6 MB from a function, 1 MB of messages, which JSON may write at some
 * times their length (and local queues ten times as many), and far less elsewhere. XML takes its reader a second for 2 MB.
 */
const mostBytes: Readonly<Partial<Record<ServiceName, number>>> = {
  lambda: 16 * MiB,
  sqs: 16 * MiB,
  sns: MiB / 2,
  sts: MiB / 2
};

/** The same of any other service. */
const usuallyMost = 8 * MiB;

/** Objects, lists and members that the JSON of an answer may have: some hundred times what AWS gives. Each takes 60 bytes. */
const mostValues = 500_000;

/** What is shorter is read as it comes: it holds little, whatever it is. */
const short = MiB / 4;

/** The head of an answer, and its body as it comes. */
export interface Response {
  statusCode: number;
  headers: Record<string, string>;
  body: Readable;
}

/** An answer that is too large for one of AWS. The SDK does not ask again for what has metadata without a status. */
function tooLarge(statusCode: number, most: string): ActionError {
  const text = `The answer has more than ${most}, which is far more than AWS gives: a proxy or gateway may have given it; check the endpoint.`;
  return Object.defineProperty(ownError('UnknownError', text, { statusCode }), '$metadata', { value: {} });
}

/** Lets an answer through until it is too large. */
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
 * The body of an answer, which fails with `UnknownError` and closes its connection when it has more than the service ever
 * gives: an answer without an end would fill the memory. Throws where its head says so already. What is packed has to be
 * unpacked before, and then comes without its length. `isPayload` where the SDK makes nothing of a good answer but its bytes.
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
