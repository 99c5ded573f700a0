/** Shows below a JSONata expression what it gives for the last message that reached the node, while one types. */
import type { ShownMessage } from '../dialog/last-message';
import type { Controls } from './controls';
import type { Outcome } from './evaluation';
import { Evaluator } from './evaluator';
import type { EditorNode } from './node-red';
import type { Reasons } from './reasons';
import { type Refusal, request } from './request';
import { momentOf } from './tab-words';

type Answer = ShownMessage | { refusal: Refusal };

/** After the last key an expression is evaluated so much later, ms. */
const pause = 400;
/** For so long an answer of the runtime is taken for the last message, ms. */
const goodFor = 2000;

/** Asks for the last message of a node, and not more often than needed. */
class LastMessage {
  #answer: Promise<Answer> | undefined;
  #until = 0;

  constructor(private readonly node: EditorNode) {}

  get(): Promise<Answer> {
    if (!this.#answer || performance.now() > this.#until) {
      this.#until = performance.now() + goodFor;
      const url = `aws-account/last-message?${new URLSearchParams({ node: this.node.id })}`;
      this.#answer = request<ShownMessage>({ url, cache: false, timeout: 10_000 });
    }
    return this.#answer;
  }
}

/** The preview of one field. */
class Preview {
  /** A screen reader says what changes in it. */
  readonly #element = $('<div class="nimbus-preview" role="status"></div>');
  /** Counts what was typed; the result of what stood there before is ignored. */
  #latest = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly say: (key: string, options?: object) => string,
    /** The expression; empty if there is none. */
    private readonly expression: () => string,
    /** Whether it is one, by its syntax: if not, the field has a message already. */
    private readonly isValid: () => boolean,
    private readonly last: LastMessage,
    private readonly evaluator: Evaluator
  ) {}

  addTo(row: JQuery): void {
    row.append(this.#element);
  }

  /** To be called after each change. Until the next result the last one stays, so that nothing moves while one types. */
  follow(): void {
    clearTimeout(this.#timer);
    this.#latest += 1;
    if (this.expression() === '') this.#element.empty();
    else this.#timer = setTimeout(() => this.#update(this.#latest), pause);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#latest += 1;
  }

  async #update(mine: number): Promise<void> {
    if (!this.isValid()) {
      this.#element.empty();
      return;
    }
    const answer = await this.last.get();
    if (mine !== this.#latest) return;
    if ('refusal' in answer) {
      this.#show(this.#refused(answer.refusal));
      return;
    }
    const { message, at, isShortened } = answer;
    const wanted = () => (mine === this.#latest ? { expression: this.expression(), message } : undefined);
    const outcome = await this.evaluator.evaluate(wanted);
    if (mine !== this.#latest) return;
    const note = isShortened ? ` ${this.say('preview.shortened')}` : '';
    this.#show(`${this.say('preview.of', { time: momentOf(at) })}${note}`, outcome);
  }

  #refused({ kind }: Refusal): string {
    return this.say(`preview.${kind}`, { defaultValue: this.say(`trouble.${kind}`) });
  }

  #show(text: string, outcome?: Outcome): void {
    const parts = [$('<div class="nimbus-hint"></div>').text(text), ...(outcome ? [this.#result(outcome)] : [])];
    // What is as it was is not said again.
    if (parts.map((part) => part.text()).join('') === this.#element.text()) return;
    this.#element.empty().append(parts);
    // So that a long result can be scrolled by keys.
    this.#element.children('code').each((_, code) => {
      if (code.scrollHeight > code.clientHeight) code.tabIndex = 0;
    });
  }

  #result({ kind, text = '' }: Outcome): JQuery {
    if (kind === 'value') return $('<code></code>').text(text);
    const isTrouble = kind !== 'nothing' && kind !== 'runtime';
    return $('<div></div>')
      .toggleClass('nimbus-trouble', isTrouble)
      .text(this.say(`preview.${kind}`, { text }));
  }
}

/** Adds the previews to a dialog. The function that is returned ends them. */
export function addPreviews(controls: Controls, reasons: Reasons, node: EditorNode): () => void {
  const evaluator = new Evaluator();
  const last = new LastMessage(node);
  const previews: Preview[] = [];
  for (const [name, field] of Object.entries(controls.fields)) {
    if (field.secret || !field.types?.includes('jsonata')) continue;
    const say = (key: string, options?: object) => controls.say(node, key, options);
    const expression = () => (controls.typeOf(node, name) === 'jsonata' ? controls.held(name).trim() : '');
    const preview = new Preview(say, expression, () => reasons.of(node, name) === true, last, evaluator);
    preview.addTo(controls.row(name));
    controls.input(name).on('change input', () => preview.follow());
    // Before this the control itself has got what was typed.
    controls.face(name).on('input', () => preview.follow());
    preview.follow();
    previews.push(preview);
  }
  return () => {
    for (const preview of previews) preview.close();
    evaluator.close();
  };
}
