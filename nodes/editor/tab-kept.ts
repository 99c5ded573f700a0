/** What is done from the AWS tab with messages that are kept. */
import type { ActOnKept } from '../dialog/kept';
import type { KeptRow } from '../dialog/sidebar';
import { type Refusal, request } from './request';
import type { KeptAct } from './tab-cards';
import { nameOfNode } from './tab-parts';
import { count, say } from './tab-words';

interface Asked {
  id: string;
  before: number;
}

const post = (name: KeptAct, asked: Asked, settings: JQueryAjaxSettings = {}): JQueryAjaxSettings => ({
  url: `aws-account/kept/${name}`,
  method: 'POST',
  contentType: 'application/json',
  data: JSON.stringify(asked),
  ...settings
});

/** Why something could not be done, in words. */
const troubleText = ({ kind }: Refusal): string =>
  say(['foreign', 'forbidden', 'gone', 'offline'].includes(kind) ? `trouble.${kind}` : 'trouble.offline');

/** The name of a file for what a node keeps. */
const fileNameFor = (node: string): string =>
  `${nameOfNode(node)}-${new Date().toISOString().slice(0, 19)}.jsonl`.replace(/[^\p{L}\p{N}.-]+/gu, '-');

/** Has the browser save a file. */
function save(file: Blob, name: string): void {
  const anchor = document.createElement('a');
  anchor.href = URL.createObjectURL(file);
  anchor.download = name;
  anchor.click();
  // The browser begins to read it in a while.
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
}

/** Asks whether messages shall be thrown away; resolves with the answer. */
function mayDiscard({ node, count: total }: KeptRow): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (isYes: boolean) => () => {
      question.close();
      resolve(isYes);
    };
    const text = $('<p></p>').text(say('kept.question', { total: count(total), name: nameOfNode(node) }));
    const question = RED.notify(text, {
      type: 'warning',
      modal: true,
      fixed: true,
      buttons: [
        { text: say('kept.leave'), click: answer(false) },
        { text: say('kept.discard'), class: 'primary', click: answer(true) }
      ]
    });
  });
}

async function exportAll(asked: Asked, node: string): Promise<string> {
  const file = await request<{ refusal?: Refusal }>(
    post('export', asked, { dataType: 'binary', xhrFields: { responseType: 'blob' } })
  );
  if (!(file instanceof Blob)) return troubleText(file.refusal ?? { kind: 'offline' });
  save(file, fileNameFor(node));
  return say('kept.exported');
}

async function doAndTell(name: 'send' | 'discard', asked: Asked): Promise<string> {
  const answer = await request<ActOnKept>(post(name, asked));
  if (answer.refusal) return troubleText(answer.refusal);
  if (name === 'send') return say('kept.sending');
  return say('kept.discarded', { total: count('count' in answer ? (answer.count ?? 0) : 0) });
}

/** Does something with what a node keeps, as it was seen at `now`. Resolves with what to tell; empty if it was not done. */
export async function actOnKept(name: KeptAct, row: KeptRow, now: number): Promise<string> {
  const asked = { id: row.id, before: now };
  if (name === 'export') return exportAll(asked, row.node);
  if (name === 'discard' && !(await mayDiscard(row))) return '';
  return doAndTell(name, asked);
}
