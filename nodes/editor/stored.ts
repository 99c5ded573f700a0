/**
 * Finds out which credentials of a node are in Node-RED's store. The editor itself knows this only after the dialog of the
 * node was open, until the next deployment. Without it, an account without keys would be shown as valid.
 */
import type { EditorNode } from './node-red';

/** What Node-RED's editor has in place of a password that only the runtime knows. */
export const unseen = '__PWRD__';

/** Node-RED's answer: texts by name, and `has_<name>` for each password. */
type Known = Readonly<Record<string, unknown>>;

/** Validates a node again, and those that use it. */
export function validate(node: EditorNode): void {
  for (const each of [node, ...(node.users ?? [])]) RED.editor.validateNode(each);
  RED.events.emit('nodes:change', node);
  RED.view.redraw();
}

/** Node-RED's answers, by node; without `known` until they are there. */
const answers = new Map<EditorNode, { known?: Known }>();

async function ask(node: EditorNode): Promise<void> {
  const answer: { known?: Known } = {};
  answers.set(node, answer);
  answer.known = await $.getJSON(`credentials/${node.type}/${encodeURIComponent(node.id)}`);
  validate(node);
}

/** What is known of a node's credentials; `undefined` until the answer is there. The node is then validated again. */
export function credentialsOf(node: EditorNode): Known | undefined {
  if (node.credentials) return node.credentials;
  // Without the permission, or without an answer, nothing is known.
  if (!answers.has(node)) ask(node).catch(() => undefined);
  return answers.get(node)?.known;
}

/** Asks anew after each deployment, which changes what is stored: that of another window as well. */
export function followDeployments(): void {
  RED.comms.subscribe('notification/runtime-deploy', () => {
    const asked = [...answers.keys()].filter((node) => RED.nodes.node(node.id) === node);
    answers.clear();
    for (const node of asked) validate(node);
  });
}
