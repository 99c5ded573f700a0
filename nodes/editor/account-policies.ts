/** The policies in the dialog of an account: the minimum rights for what is deployed with it. */
import type { Policies, PolicyBlock, PolicyNote } from '../dialog/policy';
import type { EditorNode } from './node-red';
import { type Refusal, request } from './request';

type Answer = Partial<Policies> & { refusal?: Refusal };

type Say = (key: string, options?: object) => string;

/** What a note says, with the names in it separated by commas. */
function textOf(note: PolicyNote, say: Say): string {
  const { kind, ...values } = note;
  const options = 'nodes' in values ? { ...values, nodes: values.nodes.join(', ') } : values;
  return say(`note.${kind}`, options);
}

/** A button that copies a text, and says so to its left. */
function copyButton(label: string, text: string, told: JQuery, say: Say): JQuery {
  const button = $('<button type="button" class="red-ui-button red-ui-button-small"></button>').text(label);
  return button.on('click', () => {
    RED.clipboard.copyText(text);
    told.text('');
    // Anew, so that a screen reader says it again.
    setTimeout(() => told.text(say('copied', { label })));
  });
}

function sectionFor({ kind, policy, command, holder }: PolicyBlock, number: number, say: Say): JQuery {
  const id = `nimbus-policy-${kind}${number || ''}`;
  const text = JSON.stringify(policy, null, 2);
  const told = $('<span class="nimbus-hint" role="status"></span>');
  const of = holder ? `${say(`holder.${holder.kind}`)} ${holder.name}` : '';
  return $('<section></section>')
    .attr('aria-labelledby', id)
    .append(
      $('<h4></h4>')
        .attr('id', id)
        .text(say(`heading.${kind}`)),
      $('<div class="nimbus-detail"></div>').text(of),
      // In the tab order, so that it can be scrolled with the keyboard.
      $('<pre tabindex="0"></pre>').attr('aria-labelledby', id).text(text),
      $('<div></div>').append(
        copyButton(say('copyPolicy'), text, told, say),
        ' ',
        copyButton(say('copyCommand'), command, told, say),
        ' ',
        told
      )
    );
}

/** Opens the dialog of an account with its policies. The dialog is another program, which has only the page in common. */
export function showPolicies(id: string): void {
  document.body.dataset.nimbusPolicies = id;
  RED.editor.editConfig('', 'aws-account', id);
}

/** Adds the button, and below it what it shows, behind the connection test. */
export function addPolicies(node: EditorNode): void {
  const say: Say = (key, options = {}) => node._def._(`policy.${key}`, { defaultValue: '', ...options });
  const button = $('<button type="button" class="red-ui-button" aria-expanded="false"></button>').text(say('show'));
  const state = $('<div role="status"></div>');
  const shown = $('<div></div>');
  $('<div class="form-row nimbus-row nimbus-policies"></div>')
    .append(button, state, shown)
    .insertBefore($('#node-config-input-budget').closest('.form-row'));

  function show({ blocks = [], notes = [], refusal }: Answer): void {
    const { kind = '', message = '' } = refusal ?? {};
    const trouble = say(`trouble.${kind}`) || node._def._(`trouble.${kind}`, { message, action: '' });
    state.toggleClass('nimbus-trouble', refusal !== undefined);
    state.text(refusal ? trouble : say(blocks.length > 0 ? 'deployed' : 'none'));
    const list = $('<ul></ul>').append(notes.map((note) => $('<li></li>').text(textOf(note, say))));
    shown.append(
      // Instances of a subflow may have several of a kind.
      blocks.map((block, at) => {
        const before = blocks.slice(0, at).filter(({ kind: other }) => other === block.kind);
        return sectionFor(block, before.length, say);
      }),
      notes.length > 0 ? list : $()
    );
  }

  let latest = 0;
  button.on('click', async () => {
    latest += 1;
    const mine = latest;
    const isOpen = button.attr('aria-expanded') === 'true';
    button.attr('aria-expanded', String(!isOpen));
    shown.empty();
    state.removeClass('nimbus-trouble').text(isOpen ? '' : node._def._('connection.testing'));
    if (isOpen) return;
    const url = `aws-account/policy?${new URLSearchParams({ account: node.id })}`;
    const answer = await request<Answer>({ url, timeout: 20_000 });
    if (mine === latest) show(answer);
  });
  const { nimbusPolicies: wanted } = document.body.dataset;
  delete document.body.dataset.nimbusPolicies;
  if (wanted === node.id) {
    button.trigger('click');
    // When the dialog has come to its place.
    setTimeout(() => button.trigger('focus')[0]?.scrollIntoView(), 400);
  }
}
