/** What a dialog's texts come to in the node that it edits: its groups, its tab, its subflow, as they stand in the editor. */
import { type Meaning, namesIn, type ResolvedText, Variables } from '../dialog/variables';
import type { EditorNode, FlowItem } from './node-red';

/** All that may have variables. */
function allScopes(): FlowItem[] {
  const found: FlowItem[] = [];
  const add = (item: FlowItem) => {
    found.push(item);
  };
  RED.nodes.eachWorkspace(add);
  RED.nodes.eachGroup(add);
  RED.nodes.eachConfig(({ type, ...rest }) => {
    if (type === 'global-config') add({ type, ...rest });
  });
  RED.nodes.eachSubflow((subflow) => {
    add(subflow);
    for (const instance of subflow.instances ?? []) add(instance);
  });
  return found;
}

/** The node where its dialog says that it is: of a config node that can be changed there. */
function placed({ id, z, g, name }: EditorNode): FlowItem {
  const scope = $('#red-ui-editor-config-scope').last().val();
  const place = typeof scope === 'string' && $('#node-config-input-name').length > 0 ? scope : z;
  return { id, type: '', name, z: place, g } as FlowItem;
}

/** What a text comes to in a node; of the type *env* it may be a name as it is. */
export function resolveText(node: EditorNode, text: string, type: string): ResolvedText {
  return new Variables(allScopes()).resolveText(placed(node), text, type);
}

/** What has just been typed is not in the store yet. */
function typedIn({ secret, of }: Extract<Meaning, { secret: string }>, scopes: FlowItem[]): string | undefined {
  for (const id of of) {
    const own = scopes.find((scope) => scope.id === id)?.credentials;
    const value = ((own?.map ?? own ?? {}) as Record<string, unknown>)[secret];
    if (typeof value === 'string' && value !== '' && value !== '__PWRD__') return value;
  }
  return undefined;
}

/** What the variables in texts of a node stand for, by their names; those of the process the runtime knows itself. */
export function meaningsOf(node: EditorNode, texts: string[]): Record<string, Meaning> {
  const scopes = allScopes();
  const variables = new Variables(scopes);
  const found: Record<string, Meaning> = {};
  for (const name of texts.flatMap((text) => namesIn(text))) {
    const meaning = variables.of(placed(node), name);
    const typed = 'secret' in meaning ? typedIn(meaning, scopes) : undefined;
    found[name] = typed === undefined ? meaning : { value: typed };
  }
  return found;
}
