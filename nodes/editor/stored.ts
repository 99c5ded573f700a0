/**
 * Which credentials of a node Node-RED's store has. The editor knows it of a node only while it has its dialog's answers,
 * until the next deployment, so the runtime is asked: else an account whose keys are missing would count as valid.
 */
import type { EditorNode } from './node-red';

/** As Node-RED tells it: texts by their names, and of each password under `has_` whether it is there. */
type Known = Readonly<Record<string, unknown>>;

export interface CredentialStore {
  /** What is known of a node; `undefined` until it is. Who asks is asked to validate the node again when it is known. */
  of(node: EditorNode): Known | undefined;
}

/** Checks a node anew, and those that use it: they are as valid as it is. */
export function validate(node: EditorNode): void {
  for (const each of [node, ...(node.users ?? [])]) RED.editor.validateNode(each);
  RED.events.emit('nodes:change', node);
  RED.view.redraw();
}

export function credentialStore(): CredentialStore {
  let answers = new WeakMap<EditorNode, { known?: Known }>();
  // What has been deployed is what is stored now.
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
      // Who may not ask, or gets no answer, is told nothing.
      if (!answers.has(node)) ask(node).catch(() => undefined);
      return answers.get(node)?.known;
    }
  };
}
