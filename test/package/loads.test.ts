/**
 * Each node as a Node-RED developer meets it first: loaded by node-red-node-test-helper, Node-RED's own. It knows
 * neither catalogues nor an installed package, so that the other tests have a whole Node-RED: see `test/node-red.ts`.
 */
import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { Field } from '../../nodes/fields/fields';
import type { NodeFile } from '../../nodes/fields/node-module';
import { placeOf } from '../../scripts/nodes.mjs';
import { contract } from '../contract';

interface LoadedNode extends EventEmitter {
  id: string;
  type: string;
  name: string;
  receive(msg: object): void;
}

interface Helper {
  init(runtimePath: string): void;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  load(node: unknown, flow: object[], credentials?: object): Promise<void>;
  unload(): Promise<void>;
  getNode(id: string): LoadedNode;
}

const helper = require('node-red-node-test-helper') as Helper;
const nodeOf = (type: string): unknown => require(join(__dirname, '..', '..', 'dist', `${type}.js`));

/** What an action lacks that was just dragged in, with a payload alone: a value of its own or of the message, or its account. */
function lackingIn(type: string): string {
  const { fields, account } = (require(`../../nodes/${placeOf(type)}`) as NodeFile).node.definition;
  const isThere = ({ value, types }: Field) => value !== '' && (types?.[0] !== 'msg' || value === 'payload');
  const isShown = ({ when = {} }: Field) =>
    Object.entries(when).every(([name, values]) => values !== 'filled' && values.includes(String(fields[name]?.value)));
  const isOpen = Object.values(fields).some((field) => field.required && isShown(field) && !isThere(field));
  return isOpen || account === false ? 'MissingValue' : 'AccountMissing';
}

describe('with node-red-node-test-helper', () => {
  before(() => {
    helper.init(require.resolve('node-red'));
    return helper.startServer();
  });
  afterEach(() => helper.unload());
  after(() => helper.stopServer());

  /** Loads a node of this type. An account asks AWS nothing at the start. */
  async function load(type: string, properties: object): Promise<LoadedNode> {
    await helper.load(nodeOf(type), [
      { id: 'n', type, ...properties, ...(type === 'aws-account' && { validate: false }) }
    ]);
    return helper.getNode('n');
  }

  for (const [type, { properties, inputs }] of Object.entries(contract)) {
    it(`${type} loads, by its name and with what a node has that was just dragged in`, async () => {
      const node = await load(type, { ...properties, name: 'mine' });
      assert.deepEqual([node.id, node.type, node.name], ['n', type, 'mine']);
    });

    it(`${type} loads with nothing but a name: what a flow does not have counts as its default`, async () => {
      const node = await load(type, { name: 'mine' });
      assert.deepEqual([node.type, node.name], [type, 'mine']);
    });

    if (inputs === 0 || type === 'aws-account') continue;
    it(`${type} says of a message why it goes no further`, async () => {
      const node = await load(type, { ...properties, name: 'mine' });
      const said = new Promise<{ firstArg: unknown }>((resolve) => node.once('call:error', resolve));
      node.receive({ payload: 'hello' });
      const { code } = (await said).firstArg as { code: string };
      assert.equal(code, lackingIn(type));
    });
  }
});
