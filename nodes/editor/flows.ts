/** Resolves environment variables in the texts of a dialog, by the flows in the editor. */
import { type Meaning, namesIn, type ResolvedText, Variables } from '../dialog/variables';
import { memberOf } from '../fields/thrown';
import type { EditorNode, FlowItem } from './node-red';
import { unseen } from './stored';

/** All tabs, groups, subflows and their instances, so many of each, and the global variables. */
function allScopes(instances = Infinity): FlowItem[] {
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
    for (const instance of (subflow.instances ?? []).slice(0, instances)) add(instance);
  });
  return found;
}

/** The node in its scope. Of a config node that is the scope chosen in the dialog. */
function placed({ id, z, g, name }: EditorNode): FlowItem {
  const scope = $('#red-ui-editor-config-scope').last().val();
  const place = typeof scope === 'string' && $('#node-config-input-name').length > 0 ? scope : z;
  return { id, type: '', name, z: place, g };
}

/**
 * Replaces the variables in a text of a node. With the type `env` the text itself may be a name. Of each subflow only so many
 * `instances` count; without any, what the subflow itself says.
 */
export function resolveText(node: EditorNode, text: string, type: string, instances?: number): ResolvedText {
  return new Variables(allScopes(instances)).resolveText(placed(node), text, type);
}

/** A credential variable that was typed in the editor and is not in the store yet. */
function typedIn({ secret, of }: Extract<Meaning, { secret: string }>, scopes: FlowItem[]): string | undefined {
  for (const id of of) {
    const own = scopes.find((scope) => scope.id === id)?.credentials;
    const value = memberOf(own?.map ?? own, secret);
    if (typeof value === 'string' && value !== '' && value !== unseen) return value;
  }
  return undefined;
}

/** The values of the variables in texts of a node, by name. The runtime itself knows those of the process. */
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
