/** Runs a node once, as its dialog stands, and shows what came of it. */
import type { ShownMessage } from '../dialog/last-message';
import type { TrialAnswer } from '../dialog/trial';
import { parseJson } from '../fields/json';
import { type Controls, hasVariable } from './controls';
import { draftOf as accountDraftOf } from './draft';
import { Evaluator } from './evaluator';
import { meaningsOf, resolveText } from './flows';
import type { EditorNode } from './node-red';
import { pictureOf } from './picture-file';
import { type Refusal, request } from './request';
import { duration } from './tab-words';

/** Longer than the runtime lets it take, ms. */
const longestTrial = 75_000;

type Say = (key: string, options?: object) => string;

/** What the node is tried with: the last message that reached it, a payload, or a picture as a data URL. */
interface Given {
  readonly text?: string;
  readonly picture?: string;
}

/** The properties of a node, as its dialog stands. */
function propertiesOf(controls: Controls, node: EditorNode): Record<string, unknown> {
  const found: Record<string, unknown> = { account: controls.held('account') };
  for (const [name, field] of Object.entries(controls.fields)) {
    if (field.stored) continue;
    found[name] = controls.current(node, name);
    if (field.types) found[`${name}Type`] = controls.typeOf(node, name);
  }
  return found;
}

/** The account of the node as its own dialog has left it, if that is not deployed. */
function changedAccount(controls: Controls, node: EditorNode): object | undefined {
  const held = controls.held('account');
  const found = hasVariable(held) ? resolveText(node, held, 'str') : { text: held };
  const account = 'text' in found ? RED.nodes.node(found.text) : undefined;
  return account?.changed && !account.d ? accountDraftOf(account) : undefined;
}

/** What is sent to the runtime. */
function draftOf(controls: Controls, node: EditorNode, given: Given): object {
  const properties = propertiesOf(controls, node);
  const variables = meaningsOf(node, Object.values(properties).map(String));
  const { id, type, z } = node;
  const name = controls.held('name');
  return { id, type, z, name, properties, variables, account: changedAccount(controls, node), ...given };
}

/** A text that may be long, in the tab order, so that it can be scrolled with the keyboard. */
const block = (label: string, text: string): JQuery[] => [
  $('<h4></h4>').text(label),
  $('<pre tabindex="0" role="group"></pre>').attr('aria-label', label).text(text)
];

/** The part of the form by which a node is tried. */
class Trial {
  readonly #state = $('<div role="status"></div>');
  readonly #shown = $('<div></div>');
  readonly #button = $('<button type="button" class="red-ui-button"></button>');
  readonly #which = $('<select></select>');
  readonly #text = $('<textarea rows="3"></textarea>');
  readonly #picture = $<HTMLInputElement>('<input type="file" accept="image/jpeg,image/png">');
  readonly #evaluator = new Evaluator();
  /** Ends what is under way. */
  #under: AbortController | undefined;

  constructor(
    private readonly controls: Controls,
    private readonly node: EditorNode,
    place: JQuery
  ) {
    const rows: Record<string, JQuery> = {
      own: this.#row('text', this.#text, 'textHint'),
      picture: this.#row('file', this.#picture)
    };
    const takesPictures = Object.values(controls.fields).some(({ picture }) => picture);
    for (const kind of ['last', 'own', ...(takesPictures ? ['picture'] : [])])
      this.#which.append(
        $('<option></option>')
          .val(kind)
          .text(this.#say(`with.${kind}`))
      );
    const answer = $('<div class="form-row nimbus-row nimbus-answer"></div>');
    const real = $('<div class="nimbus-detail"></div>').text(this.#say('real'));
    place.append(
      this.#row('message', this.#which),
      ...Object.values(rows),
      answer.append(this.#button.text(this.#say('run')), real, this.#state, this.#shown)
    );
    const showRows = () => {
      for (const [kind, row] of Object.entries(rows)) row.toggle(this.#which.val() === kind);
    };
    showRows();
    this.#which.on('change', showRows);
    // The button stays enabled, since a disabled one loses the focus.
    this.#button.on('click', () => (this.#under ? this.#under.abort() : this.#run()));
  }

  #say: Say = (key, options = {}) => this.controls.say(this.node, `trial.${key}`, { defaultValue: '', ...options });

  #row(name: string, control: JQuery, hint?: string): JQuery {
    const id = `${this.controls.prefix}-trial-${name}`;
    const label = $('<label></label>').attr('for', id).text(this.#say(name));
    const row = $('<div class="form-row nimbus-row"></div>').append(
      label,
      ' ',
      control.attr('id', id).css('width', 'calc(100% - 161px)')
    );
    if (!hint) return row;
    control.attr('aria-describedby', `${id}-hint`);
    return row.append($('<div class="nimbus-hint"></div>').attr('id', `${id}-hint`).text(this.#say(hint)));
  }

  /** Ends what is under way: nobody would see what comes of it. */
  close(): void {
    this.#under?.abort();
    this.#evaluator.close();
  }

  async #run(): Promise<void> {
    const under = new AbortController();
    this.#under = under;
    this.#shown.empty();
    this.#state.removeClass('nimbus-trouble').text(this.#say('running'));
    this.#button.text(this.#say('cancel'));
    const show = await this.#outcome(under.signal);
    this.#under = undefined;
    this.#button.text(this.#say('run'));
    if (under.signal.aborted) this.#state.text(this.#say('cancelled'));
    else show();
  }

  /** Runs it. Gives what shows the outcome. */
  async #outcome(signal: AbortSignal): Promise<() => void> {
    const given = await this.#given();
    if (!given) return () => this.#fail(this.#say('noPicture'));
    const endless = await this.#endlessField(given);
    if (endless) return () => this.#fail(this.#say('endless', { name: endless }));
    if (signal.aborted) return () => undefined;
    const answer = await request<TrialAnswer>(
      {
        url: 'aws-account/try',
        method: 'POST',
        contentType: 'application/json',
        data: JSON.stringify(draftOf(this.controls, this.node, given)),
        timeout: longestTrial
      },
      signal
    );
    return () => this.#show(answer);
  }

  /** What to try it with; `undefined` for a picture that is not there, or is none. */
  async #given(): Promise<Given | undefined> {
    const which = this.#which.val();
    if (which === 'own') return { text: String(this.#text.val()) };
    if (which !== 'picture') return {};
    const file = this.#picture[0]?.files?.[0];
    const picture = file && (await pictureOf(file));
    return picture === undefined ? undefined : { picture };
  }

  /**
   * The label of a field whose expression takes too long in the worker of the previews: in the runtime, where nothing can end
   * it, it would stop all flows.
   */
  async #endlessField(given: Given): Promise<string | undefined> {
    const { controls, node } = this;
    const names = Object.keys(controls.fields).filter(
      (name) => controls.fields[name]?.types && controls.typeOf(node, name) === 'jsonata' && controls.held(name) !== ''
    );
    if (names.length === 0) return undefined;
    const message = await this.#messageFor(given);
    for (const name of names) {
      const outcome = await this.#evaluator.evaluate(() => ({ expression: controls.held(name), message }));
      if (outcome?.kind === 'slow') return controls.labelOf(node, name);
    }
    return undefined;
  }

  async #messageFor({ text, picture }: Given): Promise<unknown> {
    if (text !== undefined) return { payload: (parseJson(text) ?? { value: text }).value };
    if (picture !== undefined) return { payload: picture };
    const url = `aws-account/last-message?${new URLSearchParams({ node: this.node.id })}`;
    const last = await request<ShownMessage>({ url, cache: false });
    return 'refusal' in last ? {} : last.message;
  }

  #fail(text: string): void {
    this.#state.addClass('nimbus-trouble').text(text);
  }

  #show(answer: TrialAnswer | { refusal: Refusal }): void {
    const took = 'took' in answer && answer.took !== undefined ? duration(answer.took) : undefined;
    const log = 'log' in answer && typeof answer.log === 'string' ? answer.log : undefined;
    if ('refusal' in answer) this.#fail(this.#refused(answer.refusal, took));
    else {
      const { isShortened, image } = answer;
      this.#state.text([this.#say('took', { time: took }), isShortened ? this.#say('cut') : ''].join(' ').trim());
      if (image) this.#shown.append($('<img>').attr({ src: image, alt: this.#say('pictureAlt') }));
      this.#shown.append(block(this.#say('answer'), JSON.stringify(answer.answer, null, 2)));
    }
    if (log) this.#shown.append(block(this.#say('log'), log));
  }

  /** Why nothing was tried, or how it has failed. */
  #refused({ kind, name = '', message = '' }: Refusal, took: string | undefined): string {
    if (took !== undefined) return `${this.#say('failed', { time: took })} ${name}: ${message}`;
    return this.#say(kind, { message }) || this.controls.say(this.node, `trouble.${kind}`);
  }
}

/** Adds it to the dialog of a node that can be tried. The function that is returned ends it. */
export function addTrial(controls: Controls, node: EditorNode): () => void {
  const place = $(`#${controls.prefix}-trial`);
  if (place.length === 0) return () => undefined;
  const trial = new Trial(controls, node, place);
  return () => trial.close();
}
