/**
 * Finds out which credentials of a node are in Node-RED's store. The editor itself knows this only after the dialog of the
 * node was open, until the next deployment. Without it, an account without keys would be shown as valid.
 */
import type { EditorNode } from './node-red';

/** Node-RED's answer: texts by name, and `has_<name>` for each password. */
type Known = Readonly<Record<string, unknown>>;

interface CredentialStore {
  /** The answer for a node; `undefined` until it is there. The node is then validated again. */
  of(node: EditorNode): Known | undefined;
}

/** Validates a node again, and those that use it. */
export function validate(node: EditorNode): void {
  for (const each of [node, ...(node.users ?? [])]) RED.editor.validateNode(each);
  RED.events.emit('nodes:change', node);
  RED.view.redraw();
}

export function credentialStore(): CredentialStore {
  let answers = new WeakMap<EditorNode, { known?: Known }>();
  // A deployment changes what is stored.
  RED.events.on('deploy', () => {
    answers = new WeakMap();
  });

  async function ask(node: EditorNode): Promise<void> {
    const answer: { known?: Known } = {};
    answers.set(node, answer);
    answer.known = await $.getJSON(`credentials/${node.type}/${encodeURIComponent(node.id)}`);
    validate(node);
  }

  return {
    of(node) {
      if (node.credentials) return node.credentials;
      // Without the permission, or without an answer, nothing is known.
      if (!answers.has(node)) ask(node).catch(() => undefined);
      return answers.get(node)?.known;
    }
  };
}
