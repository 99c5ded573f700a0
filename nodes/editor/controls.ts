/* The controls of a dialog and what they hold, as Node-RED's editor knows them. */

interface EditorNode {
  id: string;
  type: string;
  name?: string;
  z?: string;
  g?: string;
  /** Of a config node: the nodes that use it. */
  users?: EditorNode[];
  credentials?: Record<string, unknown>;
  _def: { _: (key: string, options?: object) => string };
  [property: string]: unknown;
}

/** What the editor uses of a field's description, which is the runtime's own. */
interface FieldView {
  control: string;
  types?: string[];
  value: string | number | boolean;
  required: boolean;
  stored?: string;
  options?: string[];
  pattern?: RegExp;
  min?: number;
  max?: number;
  integer?: boolean;
  many?: true;
  when?: Record<string, string[] | 'filled'>;
  advanced?: boolean;
  offers?: string;
  example?: string;
}

/** Node-RED's own widget. */
interface JQuery {
  typedInput(options: object): JQuery;
  typedInput(method: 'value', value: string): JQuery;
  typedInput(method: 'value'): string;
}

/** What Node-RED's debug sidebar tells its hooks of a message that it has just drawn. */
interface DrawnMessage {
  /** `type` is that of the node which has logged it. */
  message: { type?: string; format?: string };
  element: JQuery;
  payload: { data?: { name?: string; message?: string } };
}

/** What the build makes of the runtime's code, for one node. */
declare const nimbus: {
  /** Throws an error by the name `MissingValue` or `InvalidValue`. */
  checkLiteral(name: string, field: FieldView, value: unknown, type?: string): unknown;
  goesWith(field: FieldView, input: unknown, targets: unknown): boolean;
  Variables: typeof import('../dialog/variables').Variables;
  namesIn: typeof import('../dialog/variables').namesIn;
};

declare const RED: {
  /** Words of the editor itself. */
  _(key: string): string;
  utils: { validateTypedProperty(value: string, type: string, options?: object): true | string };
  editor: { validateNode(node: EditorNode): boolean };
  nodes: {
    node(id: string): EditorNode | null;
    eachWorkspace(visit: (tab: FlowItem) => void): void;
    eachGroup(visit: (group: FlowItem) => void): void;
    eachConfig(visit: (node: FlowItem) => void): void;
    eachSubflow(visit: (subflow: FlowItem & { instances?: FlowItem[] }) => void): void;
  };
  view: { redraw(): void };
  events: {
    on(event: string, listener: () => void): void;
    emit(event: string, node: EditorNode): void;
  };
  hooks: {
    add(hook: string, callback: (drawn: DrawnMessage) => void): void;
    remove(hook: string): void;
  };
};

/** The controls of one type of node. While its dialog is open they hold the values, else the node does. */
// biome-ignore lint/correctness/noUnusedVariables: the form makes one
class NimbusControls {
  /** The node whose dialog is open. */
  edited: EditorNode | undefined;

  constructor(
    readonly fields: Record<string, FieldView>,
    readonly prefix: string
  ) {}

  input(name: string): JQuery {
    return $(`#${this.prefix}-${name}`);
  }

  /** Of a typed input: what stands in place of the control. */
  container(name: string): JQuery {
    return this.input(name).next('.red-ui-typedInput-container');
  }

  /** What people see and type in: a typed input hides the control itself. */
  face(name: string): JQuery {
    const typed = this.container(name).find('.red-ui-typedInput-input');
    return typed.length > 0 ? typed : this.input(name);
  }

  row(name: string): JQuery {
    return this.input(name).closest('.form-row');
  }

  say(node: EditorNode, key: string, options: object = {}): string {
    return node._def._(key, options);
  }

  labelOf(node: EditorNode, name: string): string {
    return this.say(node, `label.${name}`);
  }

  /** The text in a control. Where a new config node is offered, none is chosen yet. */
  held(name: string): string {
    const text = String(this.input(name).val() ?? '');
    return text === '_ADD_' ? '' : text;
  }

  /** A property's value: from the open dialog while its node is edited, else as the node holds it. */
  current(node: EditorNode, name: string): unknown {
    const field = this.fields[name];
    const input = this.input(name);
    if (node !== this.edited || input.length === 0) return node[name] ?? field?.value ?? '';
    return field?.control === 'flag' ? input.prop('checked') : input.val();
  }

  typeOf(node: EditorNode, name: string): string {
    const held = node === this.edited ? this.input(`${name}Type`).val() : undefined;
    return String(held || node[`${name}Type`] || this.fields[name]?.types?.[0]);
  }

  /** A field's value where the dialog itself holds it: not a path or an expression. */
  literal(node: EditorNode, name: string): string {
    const field = this.fields[name];
    if (!field || (field.types && this.typeOf(node, name) !== 'str')) return '';
    return String(this.current(node, name));
  }

  /** Whether a row is there, for what other fields hold. */
  isShown(node: EditorNode, { when = {} }: FieldView): boolean {
    return Object.entries(when).every(([name, values]) => {
      const value = String(this.current(node, name));
      return values === 'filled' ? value !== '' : values.includes(value);
    });
  }
}

/** Whether a text takes its value, or a part of it, from the environment. */
// biome-ignore lint/correctness/noUnusedVariables: reasons and lists ask
const nimbusIsEnv = (value: string): boolean => /\$\{[^}]/.test(value.slice(0, value.lastIndexOf('}') + 1));
