/** Marks controls whose values are not valid, with a message below them. */
import type { Controls } from './controls';
import type { EditorNode } from './node-red';
import type { Reason, Reasons } from './reasons';

interface Marks {
  /** Notes that a field has had the focus. Before that there is no message that it is required. */
  visit(name: string): void;
  update(node: EditorNode): void;
}

export function makeMarks(controls: Controls, reasons: Reasons): Marks {
  const visited = new Set<string>();

  /** The line for the message below a control; created with the first message. */
  function lineFor(name: string): JQuery {
    const id = `${controls.prefix}-${name}-reason`;
    const row = controls.row(name);
    const known = row.children('.nimbus-reason');
    if (known.length > 0) return known;
    const line = $('<div class="nimbus-reason" role="alert"></div>').attr('id', id);
    const hint = row.children('[id$="-hint"]').first();
    if (hint.length > 0) line.insertBefore(hint);
    else row.append(line);
    const described = [id, controls.input(name).attr('aria-describedby')].filter(Boolean).join(' ');
    controls.face(name).attr('aria-describedby', described);
    return line;
  }

  function mark(name: string, why: Reason): void {
    const input = controls.input(name);
    const container = controls.container(name);
    (container.length > 0 ? container : input).toggleClass('input-error', why !== true);
    controls.face(name).attr('aria-invalid', String(why !== true));
    const text = why === true || (controls.held(name) === '' && !visited.has(name)) ? '' : why;
    if (text === '' && controls.row(name).children('.nimbus-reason').length === 0) return;
    const line = lineFor(name);
    if (line.text() !== text) line.text(text);
  }

  function markAccount(node: EditorNode): void {
    if (controls.input('account').length === 0) return;
    mark(
      'account',
      controls.held('account')
        ? true
        : controls.say(node, 'invalid.required', { label: controls.labelOf(node, 'account') })
    );
  }

  return {
    visit: (name) => visited.add(name),
    // Node-RED marks neither credentials nor typed inputs, whose controls are hidden.
    update(node) {
      for (const name of Object.keys(controls.fields)) mark(name, reasons.of(node, name));
      markAccount(node);
    }
  };
}
