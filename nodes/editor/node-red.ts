/** The parts of Node-RED's editor that are used here. */

export interface EditorNode {
  id: string;
  type: string;
  name?: string;
  z?: string;
  g?: string;
  /** Of a config node: the nodes that use it. */
  users?: EditorNode[];
  credentials?: Record<string, unknown>;
  /** Its type: texts, properties and credentials. */
  _def: { _: (key: string, options?: object) => string; defaults?: object; credentials?: object };
  [property: string]: unknown;
}

/** A tab, group, subflow or node in the editor. */
export interface FlowItem {
  id: string;
  type: string;
  z?: string | undefined;
  g?: string | undefined;
  name?: string | undefined;
  label?: string;
  env?: { name: string; type: string; value?: unknown }[];
  credentials?: Record<string, unknown>;
}

/** What Node-RED's debug sidebar passes to its hooks for a message that it has just rendered. */
interface DrawnMessage {
  /** `type` is that of the node that has logged it. */
  message: { type?: string; format?: string };
  element: JQuery;
  payload: { data?: { name?: string; message?: string } };
}

declare global {
  const RED: {
    /** Texts of the editor itself. */
    _(key: string, options?: object): string;
    utils: {
      validateTypedProperty(value: string, type: string, options?: object): true | string;
      getNodeLabel(node: EditorNode, otherwise: string): string;
    };
    editor: {
      validateNode(node: EditorNode): boolean;
      editConfig(name: string, type: string, id: string): void;
    };
    nodes: {
      node(id: string): EditorNode | null;
      /** The registration of a type. */
      getType(type: string): { set?: { module: string } } | undefined;
      eachNode(visit: (node: EditorNode) => void): void;
      eachWorkspace(visit: (tab: FlowItem) => void): void;
      eachGroup(visit: (group: FlowItem) => void): void;
      eachConfig(visit: (node: EditorNode & FlowItem) => void): void;
      eachSubflow(visit: (subflow: FlowItem & { instances?: FlowItem[] }) => void): void;
    };
    view: { redraw(): void; reveal(id: string): void };
    i18n: { lang(): string };
    actions: { add(name: string, action: () => void, options?: { label: string }): void };
    keyboard: { add(scope: string, key: string, action: string): void };
    sidebar: {
      addTab(tab: {
        id: string;
        label: string;
        name: string;
        iconClass: string;
        content: JQuery;
        enableOnEdit: boolean;
        action: string;
      }): void;
      containsTab(id: string): boolean;
      show(id: string): void;
    };
    clipboard: { copyText(text: string, element?: JQuery, message?: string): boolean };
    popover: { tooltip(target: JQuery, text: string | (() => string)): void };
    notify(text: string | JQuery, options: object): { close(): void };

    comms: { subscribe(topic: string, listener: () => void): void };
    events: {
      emit(event: string, node: EditorNode): void;
    };
    hooks: {
      add(hook: string, callback: (drawn: DrawnMessage) => void): void;
      remove(hook: string): void;
    };
  };
}
