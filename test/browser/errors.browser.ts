import assert from 'node:assert/strict';
import { account, credentials, invokeNode, useBench } from '../aws';
import { openEditor } from './editor';

/** What a user sees of an error that no Catch node takes. */
describe('an error that nobody catches', () => {
  const bench = useBench();

  it('says in the debug sidebar what is wrong, in a whole sentence', async () => {
    const nodes = [
      account(bench),
      invokeNode({ id: 'greet', name: 'greet', functionName: 'helo', x: 300, y: 100, wires: [] }),
      invokeNode({ id: 'blank', functionName: 'fn', functionNameType: 'msg', x: 300, y: 180, wires: [] })
    ];
    await bench.red.deploy(nodes, { credentials: credentials() });
    const editor = await openEditor();
    const { error } = await bench.red.send('greet', { payload: 1 });
    await bench.red.send('blank', { payload: 1 });

    const [refused = '', missing = '', ...more] = await editor.debugMessages(2);
    const said = `${error?.name}: ${error?.message}`;
    assert.ok(said.length > 100, 'it is a long one');
    assert.ok(refused.includes(said), refused);
    assert.ok(missing.includes('MissingValue: Function (functionName) is required, but msg.fn has no value.'), missing);
    assert.ok(!refused.includes('[object Object]'), refused);
    assert.deepEqual(more, []);
    assert.equal(await editor.status('greet'), 'no function “helo”');
    assert.equal(await editor.status('blank'), 'Function: no value');
    await editor.shoot('errors');
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });

  it('has a status in the language of the editor', async () => {
    const nodes = [account(bench), invokeNode({ id: 'fails', functionName: 'fails', x: 300, y: 100, wires: [] })];
    await bench.red.deploy(nodes, { credentials: credentials() });
    await bench.red.send('fails', { payload: 1 });
    const editor = await openEditor({ language: 'de' });
    assert.equal(await editor.status('fails'), 'Funktion fehlgeschlagen');
    await editor.close();
  });
});
