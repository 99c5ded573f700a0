import type { Answer, ServiceCall } from './call';
import type { Fault } from './faults';

/** What a batch operation says about an entry that failed. */
interface Failed {
  readonly Id: string;
  readonly Code: string;
  readonly SenderFault: boolean;
  readonly Message: string;
}

/** A batch in which some entries fail. */
interface PartialBatch {
  /** The call without these entries; absent where none is left. */
  readonly rest: ServiceCall | undefined;
  /** Adds them to the answer to the rest. */
  complete(answer: Answer | undefined): Answer;
}

/** Removes the entries that fail from a batch call; `random` decides which. */
export function failEntries(call: ServiceCall, fault: Fault, random: () => number): PartialBatch {
  const { entryProbability = 1, senderFault = false } = fault;
  const fails = () => random() < entryProbability;
  const Code = senderFault ? 'InvalidMessageContents' : 'InternalError';
  const Message = senderFault ? 'The message is not to the taste of the fault.' : 'An internal error occurred.';
  const failed = (Id: string): Failed => ({ Id, Code, SenderFault: senderFault, Message });
  return call.protocol === 'query' ? ofForm(call, fails, failed) : ofJson(call, fails, failed);
}

interface Batch {
  Entries?: { Id: string }[];
}
interface BatchAnswer {
  Successful?: unknown[];
  Failed?: Failed[];
}

function ofJson(call: ServiceCall, fails: () => boolean, failed: (id: string) => Failed): PartialBatch {
  const batch = call.input as Batch;
  const taken: Failed[] = [];
  const left: { Id: string }[] = [];
  for (const entry of batch.Entries ?? []) {
    if (fails()) taken.push(failed(entry.Id));
    else left.push(entry);
  }
  const input = { ...call.input, Entries: left };
  return {
    rest: left.length > 0 ? { ...call, input, body: Buffer.from(JSON.stringify(input)) } : undefined,
    complete(answer) {
      if (answer && answer.status !== 200) return answer;
      const { Successful = [], Failed: others = [] } = JSON.parse(String(answer?.body ?? '{}')) as BatchAnswer;
      return {
        status: 200,
        headers: { 'Content-Type': 'application/x-amz-json-1.0', 'x-amzn-RequestId': call.requestId },
        ...answer,
        body: JSON.stringify({ Successful, Failed: [...others, ...taken] })
      };
    }
  };
}

const entryName = /^(PublishBatchRequestEntries\.member\.)(\d+)(\..*)$/;

function ofForm(call: ServiceCall, fails: () => boolean, failed: (id: string) => Failed): PartialBatch {
  const fields = [...new URLSearchParams(call.body.toString('utf8'))];
  const ids = fields.filter(([name]) => entryName.test(name) && name.endsWith('.Id'));
  const taken = new Map<string, Failed>();
  for (const [name, id] of ids) if (fails()) taken.set(entryName.exec(name)?.[2] ?? '', failed(id));
  const numbers = ids.map(([name]) => entryName.exec(name)?.[2] ?? '').filter((number) => !taken.has(number));
  const form = new URLSearchParams();
  for (const [name, value] of fields) {
    const [, before, number = '', after] = entryName.exec(name) ?? [];
    if (!taken.has(number)) form.append(before ? `${before}${numbers.indexOf(number) + 1}${after}` : name, value);
  }
  const members = [...taken.values()].map(memberOf).join('');
  return {
    rest:
      numbers.length > 0 ? { ...call, input: Object.fromEntries(form), body: Buffer.from(form.toString()) } : undefined,
    complete(answer) {
      if (answer && answer.status !== 200) return answer;
      const empty = `<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Successful></Successful><Failed></Failed></PublishBatchResult><ResponseMetadata><RequestId>${call.requestId}</RequestId></ResponseMetadata></PublishBatchResponse>`;
      const body = String(answer?.body ?? empty).replace(/<Failed\/>/, '<Failed></Failed>');
      return {
        status: 200,
        headers: { 'Content-Type': 'text/xml', 'x-amzn-RequestId': call.requestId },
        ...answer,
        body: body.replace('</Failed>', `${members}</Failed>`)
      };
    }
  };
}

const memberOf = ({ Id, Code, SenderFault, Message }: Failed): string =>
  `<member><Id>${Id}</Id><Code>${Code}</Code><SenderFault>${SenderFault}</SenderFault><Message>${Message}</Message></member>`;
