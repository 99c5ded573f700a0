/** Where the editor is behind a reverse proxy without TLS, for which a browser does not say where a request comes from. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { account, credentials, invokeNode, useBench } from '../aws';
import { nodeRedVersion, sink } from '../node-red';
import { type Editor, openEditor } from './editor';

describe(`the editor behind a proxy that changes the host, in Node-RED ${nodeRedVersion}`, () => {
  const bench = useBench();
  const servers: Server[] = [];
  let editor: Editor;

  /** Names that end in `.test` lead to this machine. To a browser they are not as trustworthy as its own address. */
  async function serve(host: string, answer: RequestListener): Promise<{ server: Server; url: string }> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, url: `http://${host}:${(server.address() as AddressInfo).port}/` };
  }

  /** Passes requests on to Node-RED as if they were for its own host, and says nothing of the other one. */
  async function proxy(): Promise<string> {
    const { host, hostname, port } = new URL(bench.red.url);
    const { server, url } = await serve('flows.test', (incoming, response) => {
      const { method, url: path, headers } = incoming;
      const outgoing = request({ hostname, port, method, path, headers: { ...headers, host } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      outgoing.on('error', () => response.destroy());
      incoming.pipe(outgoing);
    });
    server.on('upgrade', ({ url: path, headers }, socket, head) => {
      const lines = Object.entries({ ...headers, host }).map(([name, value]) => `${name}: ${value}`);
      const behind = connect(Number(port), hostname, () => {
        behind.write([`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
        behind.write(head);
        behind.pipe(socket).pipe(behind);
      });
      for (const end of [behind, socket]) end.on('error', () => (end === behind ? socket.destroy() : behind.destroy()));
    });
    return url;
  }

  beforeEach(() =>
    bench.red.deploy(
      [account(bench), invokeNode({ functionName: '', x: 300, y: 100 }), { ...sink('out'), x: 560, y: 100 }],
      {
        credentials: credentials()
      }
    )
  );
  afterEach(async () => {
    await editor.end();
    for (const server of servers.splice(0)) {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    }
  });

  it('tests a connection, and has lists', async () => {
    editor = await openEditor({ url: await proxy() });
    await editor.openConfig('aws-account', 'account');
    await editor.page.locator('.nimbus-test button').click();
    await editor.page.locator('.nimbus-connection', { hasText: /The sign-in works/ }).waitFor();
    await editor.cancel();
    await editor.openByKey('invoke');
    await editor.page.locator('.nimbus-pick').first().click();
    await editor.page.locator('.nimbus-choice').first().waitFor();
    assert.deepEqual(editor.problems, []);
  });

  it('does nothing for a page of another site, whatever that sends', async () => {
    const flows = await proxy();
    editor = await openEditor({ url: flows });
    await editor.openConfig('aws-account', 'account');
    await editor.page.locator('.nimbus-test button').click();
    await editor.page.locator('.nimbus-connection', { hasText: /The sign-in works/ }).waitFor();
    await bench.aws.reset();
    const { url: evil } = await serve('evil.test', (_, response) => {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Another site</title>');
    });
    // A tab of the same browser has the same cookies.
    const page = await editor.page.context().newPage();
    await page.goto(evil);
    const body = JSON.stringify({ id: 'account', properties: account(bench), credentials: credentials().account });
    const all = { 'X-Forwarded-Host': new URL(evil).host, 'Node-RED-API-Version': 'v2', Cookie: 'nimbus=editor' };
    const answers = await page.evaluate(
      `(async () => {
        const found = [];
        for (const credentials of ['omit', 'same-origin', 'include'])
          for (const more of [{}, ${JSON.stringify(all)}])
            for (const [path, request] of [
              ['aws-account/test', { method: 'POST', body: ${JSON.stringify(body)}, headers: { 'Content-Type': 'application/json', ...more } }],
              ['aws-account/test', { method: 'POST', body: ${JSON.stringify(body)}, mode: 'no-cors', headers: { 'Content-Type': 'text/plain' } }],
              ['aws-account/choices/functions?account=account', { headers: more }]
            ])
              found.push(await fetch('${flows}' + path, { credentials, ...request })
                .then(async (answer) => answer.type === 'opaque' ? 'opaque' : [answer.status, (await answer.text()).slice(0, 60)].join(' '), () => 'refused'));
        return found;
      })()`
    );
    assert.deepEqual(
      (answers as string[]).filter((answer) => !/^(403 |opaque$|refused$)/.test(answer)),
      []
    );
    assert.deepEqual(await bench.aws.requests(), []);
    await page.close();
  });
});
