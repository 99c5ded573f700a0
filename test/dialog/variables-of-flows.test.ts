/** What the dialogs take a variable for is what Node-RED itself does. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Item, Meaning } from '../../nodes/dialog/variables';
import { Variables } from '../../nodes/dialog/variables';
import { useEnvironment } from '../account/environment';
import { type FlowNode, type NodeRed, type RunningNode, sink, startNodeRed } from '../node-red';

const { util } = require('@node-red/util') as {
  util: { evaluateNodeProperty(value: string, type: string, node: object, msg: object): unknown };
};

const names = ['A', 'B', 'C', 'D', 'NR_FLOW_NAME', 'NR_GROUP_NAME', 'NR_SUBFLOW_NAME', 'NR_NODE_NAME'];
const name = fc.constantFrom('A', 'B', 'C');
const other = fc.constantFrom('A', 'B', 'C', '$parent.A', '${D}', 'x-${D}', '${D}${NR_FLOW_NAME}', 'NR_FLOW_NAME');
const variable = fc.oneof(
  fc.record({
    name: fc.constantFrom('A', 'B', 'C', 'D'),
    type: fc.constantFrom('str', 'num', 'bool', 'json', 'cred'),
    value: fc.constantFrom('1', 'true', 'A', '')
  }),
  fc.record({ name, type: fc.constant('env'), value: other })
);
const env = fc.uniqueArray(variable, { maxLength: 3, selector: ({ name }) => name });
/** Node-RED finds no credentials of a group in a subflow. */
const open = env.map((variables) => variables.filter(({ type }) => type !== 'cred'));
/** Groups in groups on a tab, with nodes in them and beside them, and a subflow in a subflow. */
const flows = fc.record({
  all: env,
  tab: env,
  outer: env,
  inner: env,
  template: env,
  instance: env,
  group: open,
  nested: env
});

const secret = (id: string, name: string) => `${id}-${name}`;

describe('a variable stands for the same in a dialog and in Node-RED', () => {
  let red: NodeRed;
  const environment = useEnvironment();
  before(async () => {
    red = await startNodeRed();
  });
  afterEach(async () => {
    await red.deploy([]);
    red.clearLogs();
  });

  const flowOf = (drawn: Record<string, object[]>, mark: string): FlowNode[] => [
    { id: `${mark}all`, type: 'global-config', env: drawn.all },
    { id: `${mark}tab`, type: 'tab', label: 'the tab', env: drawn.tab },
    {
      id: `${mark}outer`,
      type: 'group',
      z: `${mark}tab`,
      name: 'the outer',
      nodes: [`${mark}inner`],
      env: drawn.outer
    },
    {
      id: `${mark}inner`,
      type: 'group',
      z: `${mark}tab`,
      g: `${mark}outer`,
      name: 'the inner',
      nodes: [`${mark}grouped`, `${mark}instance`],
      env: drawn.inner
    },
    { id: `${mark}template`, type: 'subflow', name: 'the template', in: [], out: [], env: drawn.template },
    { id: `${mark}nested`, type: 'subflow', name: 'the nested', in: [], out: [], env: drawn.nested },
    {
      id: `${mark}instance`,
      type: `subflow:${mark}template`,
      z: `${mark}tab`,
      g: `${mark}inner`,
      name: 'the instance',
      env: drawn.instance
    },
    {
      id: `${mark}group`,
      type: 'group',
      z: `${mark}template`,
      name: 'the group',
      nodes: [`${mark}deep`],
      env: drawn.group
    },
    { id: `${mark}deep`, type: `subflow:${mark}nested`, z: `${mark}template`, g: `${mark}group`, name: 'the deep' },
    { ...sink(`${mark}plain`), z: `${mark}tab`, name: 'plain' },
    { ...sink(`${mark}grouped`), z: `${mark}tab`, g: `${mark}inner`, name: 'grouped' },
    { ...sink(`${mark}inside`), z: `${mark}template`, name: 'called inside' },
    { ...sink(`${mark}deepest`), z: `${mark}nested`, name: 'called deepest' }
  ];

  const ofProcess = (text: string) => text.replace(/\$\{([^}]+)\}/g, (_, name) => process.env[name] ?? '');
  /** As the runtime has a credential, which no flow says. */
  const runtimeValue = (meaning: Meaning, stored: ReadonlySet<string>): unknown => {
    if ('text' in meaning) return ofProcess(meaning.text);
    if ('secret' in meaning) return meaning.of.map((id) => secret(id, meaning.secret)).find((each) => stored.has(each));
    return 'value' in meaning ? (meaning.value ?? '') : assert.fail(meaning.unknown);
  };

  it('in tabs, groups in groups, subflows in subflows and all flows, whatever they say of others', async () => {
    environment.set({ A: 'of the process', D: 'of the process, too' });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(flows, async (drawn) => {
        run += 1;
        // Node-RED keeps credentials that a deployment does not name.
        const mark = `${run}-`;
        const nodes = flowOf(drawn, mark);
        const credentials: Record<string, Record<string, unknown>> = {};
        for (const { id, type, env = [] } of nodes as (FlowNode & { env?: { name: string; type: string }[] })[]) {
          const own = Object.fromEntries(
            env.filter((each) => each.type === 'cred').map(({ name }) => [name, secret(id, name)])
          );
          if (Object.keys(own).length > 0) credentials[id] = type === 'global-config' ? { map: own } : own;
        }
        await red.deploy(nodes, { credentials: credentials as Record<string, Record<string, string>> });
        const stored = new Set(Object.values(credentials).flatMap((own) => Object.values(own.map ?? own)));
        const variables = new Variables(nodes as unknown as Item[]);
        for (const kind of ['plain', 'grouped', 'inside', 'deepest']) {
          const id = mark + kind;
          const running: RunningNode = red.node(id);
          const item = nodes.find((node) => node.id === id) as unknown as Item;
          for (const name of names) {
            const meaning = variables.of(item, name);
            // A text with a credential in it.
            if ('unknown' in meaning) assert.equal(meaning.unknown, 'secret');
            else {
              const found = util.evaluateNodeProperty(name, 'env', running, {});
              assert.deepEqual([id, name, runtimeValue(meaning, stored)], [id, name, found]);
            }
          }
          const told = variables.resolveText(item, 'a-${A}-${NR_NODE_NAME}');
          if (!('text' in told)) continue;
          const text = util.evaluateNodeProperty('a-${A}-${NR_NODE_NAME}', 'env', running, {});
          // A variable that names a later one gets that one's text as it is: as a part of another text it would be read again.
          if (!String(text).includes('${')) assert.equal(ofProcess(told.text), text);
        }
      }),
      { numRuns: 60 }
    );
  });

  it('unless instances of a subflow differ, or an expression gives it', () => {
    const items: Item[] = [
      { id: 'tab', type: 'tab', env: [{ name: 'E', type: 'jsonata', value: '1 + 1' }] },
      { id: 'sub', type: 'subflow', env: [{ name: 'A', type: 'str', value: 'one' }] },
      { id: 'first', type: 'subflow:sub', z: 'tab' },
      { id: 'second', type: 'subflow:sub', z: 'tab', env: [{ name: 'A', type: 'str', value: 'two' }] }
    ];
    const inside = { id: 'inside', type: 'debug', z: 'sub' };
    assert.deepEqual(new Variables(items).of(inside, 'A'), { unknown: 'instance' });
    assert.deepEqual(new Variables(items).resolveText(inside, 'x${A}'), { unknown: 'instance' });
    assert.deepEqual(new Variables(items.slice(0, 3)).of(inside, 'A'), { value: 'one' });
    assert.deepEqual(new Variables(items).of(inside, 'E'), { unknown: 'expression' });
    assert.deepEqual(new Variables(items).resolveText(inside, '${B}-${NR_NODE_ID}'), { text: '${B}-inside' });
  });
});
