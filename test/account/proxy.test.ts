/** HTTP proxies of the environment, with a real one on loopback between Node-RED and the local AWS. */
import assert from 'node:assert/strict';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { inspect } from 'node:util';
import { roles } from '../../local-aws/client';
import { canUseProxies } from '../../nodes/account/proxy';
import { account, credentials, invokeNode, useBench } from '../aws';
import type { NodeError, Outcome } from '../node-red';
import { sink } from '../node-red';
import { Relay } from '../relay';
import { useEnvironment } from './environment';

interface Certificate {
  key: string;
  certificate: string;
}

/** A request to the proxy: to open a tunnel, or to forward. */
interface Asked {
  method: string;
  target: string;
  authorization: string | undefined;
}

const listen = (server: net.Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));

const basic = (login: string): string => `Basic ${Buffer.from(login).toString('base64')}`;

/** A proxy that forwards requests by http and opens tunnels on CONNECT. */
class TestProxy {
  readonly asked: Asked[] = [];
  /** `user:password` that it wants. */
  login: string | undefined;
  /** Accepts connections and says nothing. */
  silent = false;
  /** What it answers instead of opening a tunnel, such as `403 Forbidden`. */
  refusal: string | undefined;
  connections = 0;
  readonly #sockets = new Set<Duplex>();

  private constructor(
    private readonly server: http.Server,
    readonly port: number
  ) {}

  /** @param certificate where it is to be asked by https */
  static async start(certificate?: Certificate): Promise<TestProxy> {
    const server = certificate
      ? https.createServer({ key: certificate.key, cert: certificate.certificate })
      : http.createServer();
    const proxy = new TestProxy(server, await listen(server));
    server.on('connection', (socket: Socket) => proxy.#connected(socket));
    server.on('request', (incoming, response) => proxy.#forward(incoming, response));
    server.on('connect', (incoming, socket) => proxy.#tunnel(incoming, socket));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections to it that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #connected(socket: Duplex): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
  }

  /** Notes a request; what to answer where it is not to be served. */
  #refuses({ method = '', url = '', headers }: IncomingMessage): string | undefined {
    const authorization = headers['proxy-authorization'];
    this.asked.push({ method, target: url, authorization });
    if (this.login !== undefined && authorization !== basic(this.login)) return '407 Proxy Authentication Required';
    return this.refusal;
  }

  #forward(incoming: IncomingMessage, response: ServerResponse): void {
    const [status, ...reason] = this.#refuses(incoming)?.split(' ') ?? [];
    if (status !== undefined) {
      response.writeHead(Number(status), reason.join(' ')).end(`<html>${reason.join(' ')}</html>`);
      return;
    }
    const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = incoming.headers;
    const options = { method: incoming.method ?? '', headers, agent: false as const };
    const outgoing = http.request(incoming.url as string, options, (answer) => {
      response.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  }

  #tunnel(incoming: IncomingMessage, socket: Duplex): void {
    const refusal = this.#refuses(incoming);
    // It stays open until the other side ends it, as with many real ones.
    if (this.silent || refusal !== undefined) socket.resume().once('end', () => socket.end());
    if (this.silent) return;
    if (refusal !== undefined) {
      socket.write(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`tunnel://${incoming.url}`);
    const onward = net.connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy()).once('close', () => onward.destroy());
  }
}

/** The local AWS by https. */
class TlsFront {
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: net.Server,
    readonly url: string
  ) {}

  static async start(behind: string, { key, certificate }: Certificate): Promise<TlsFront> {
    const server = tls.createServer({ key, cert: certificate });
    const front = new TlsFront(server, `https://127.0.0.1:${await listen(server)}`);
    server.on('connection', (socket) => front.#sockets.add(socket));
    server.on('tlsClientError', () => undefined);
    server.on('secureConnection', (socket) => {
      const onward = net.connect(Number(new URL(behind).port), '127.0.0.1');
      socket.on('error', () => onward.destroy()).once('close', () => onward.destroy());
      onward.on('error', () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    });
    return front;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

const variables = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];

describe('an HTTP proxy of the environment', () => {
  const bench = useBench();
  const env = useEnvironment();
  let proxy: TestProxy;

  beforeEach(async () => {
    for (const name of variables) delete process.env[name];
    proxy = await TestProxy.start();
  });
  afterEach(async () => {
    await bench.red.deploy([]);
    await proxy.stop();
  });

  /** Sets variables and deploys an account that reads them, and a node that uses it. */
  async function deploy(environment: Record<string, string>, properties: Record<string, unknown> = {}): Promise<void> {
    env.set(environment);
    await bench.red.deploy([account(bench, properties), invokeNode(), sink('out')], { credentials: credentials() });
  }

  const invoke = (limit?: number): Promise<Outcome> => bench.red.send('invoke', { payload: {} }, limit);

  async function succeeds(): Promise<void> {
    const { error, sent } = await invoke();
    assert.ifError(error);
    assert.equal(sent.length, 1);
  }

  async function failure(limit?: number): Promise<NodeError> {
    const { error } = await invoke(limit);
    assert.ok(error);
    return error;
  }

  /** What the account has warned of. */
  const warnings = (): string[] =>
    bench.red.logs.filter(({ level, type }) => level === 'warn' && type === 'aws-account').map(({ text }) => text);

  const onlyWithSupport = function (this: Mocha.Context): void {
    if (canUseProxies) return;
    console.log(`      (skipped: Node.js ${process.version} can use no proxy)`);
    this.skip();
  };

  describe('on a Node.js that can use none', () => {
    before(function () {
      if (canUseProxies) this.skip();
    });

    it('is no reason to warn where no account needs it', async () => {
      await deploy({ HTTPS_PROXY: `http://${proxy.address}` });
      await deploy({ HTTP_PROXY: `http://${proxy.address}`, NO_PROXY: 'localhost,127.0.0.1' });
      await deploy({ NO_PROXY: '*' });
      await succeeds();
      assert.deepEqual(warnings(), []);
    });

    it('is warned of once for all accounts and deployments, without its password', async () => {
      env.set({ HTTP_PROXY: `http://gardener:tulips@${proxy.address}`, NO_PROXY: '' });
      const accounts = [account(bench), account(bench, { id: 'other' })];
      await bench.red.deploy(accounts, { credentials: credentials() });
      await deploy({});
      await succeeds();
      assert.deepEqual(warnings(), [
        `HTTP_PROXY names a proxy, but Node.js ${process.versions.node} cannot use one here, so AWS is called without it: update Node.js to 22.21, 24.5 or later.`
      ]);
      assert.deepEqual(proxy.asked, []);
    });
  });

  describe('for http', () => {
    before(onlyWithSupport);

    const through = (): string[] => proxy.asked.map(({ method, target }) => `${method} ${target}`);
    const invocation = (): string => `POST ${bench.aws.url}/2015-03-31/functions/hello/invocations`;

    it('forwards the requests', async () => {
      await deploy({ HTTP_PROXY: `http://${proxy.address}` });
      await succeeds();
      assert.deepEqual(through(), [invocation()]);
      assert.deepEqual(warnings(), []);
    });

    it('is found in small letters, and without a scheme', async () => {
      await deploy({ http_proxy: proxy.address });
      await succeeds();
      assert.deepEqual(through(), [invocation()]);
    });

    it('is that of the small letters where both are set', async () => {
      await deploy({ http_proxy: `http://${proxy.address}`, HTTP_PROXY: 'http://127.0.0.1:9' });
      await succeeds();
      assert.equal(proxy.asked.length, 1);
    });

    it('is not that of https', async () => {
      await deploy({ HTTPS_PROXY: `http://${proxy.address}` });
      await succeeds();
      assert.deepEqual(through(), []);
    });

    it('is read when the account is made', async () => {
      await deploy({ HTTP_PROXY: `http://${proxy.address}` });
      env.set({ HTTP_PROXY: 'http://127.0.0.1:9' });
      await succeeds();
      assert.equal(proxy.asked.length, 1);
    });

    const port = (): string => new URL(bench.aws.url).port;
    const direct: [string, () => string][] = [
      ['the host', () => '127.0.0.1'],
      ['the host among others', () => 'example.com, 127.0.0.1'],
      ['the host among others, with blanks between', () => 'example.com 127.0.0.1'],
      ['the host and its port', () => `127.0.0.1:${port()}`],
      ['the end of the host', () => '.0.0.1'],
      ['the end of the host with an asterisk', () => '*.0.0.1'],
      ['everything', () => '*']
    ];
    for (const [what, value] of direct) {
      for (const name of ['NO_PROXY', 'no_proxy']) {
        it(`is passed by where ${name} is ${what}`, async () => {
          await deploy({ HTTP_PROXY: `http://${proxy.address}`, [name]: value() });
          await succeeds();
          assert.deepEqual(through(), []);
        });
      }
    }

    it('is passed by for localhost where NO_PROXY says so', async () => {
      const endpoint = `http://localhost:${port()}`;
      await deploy({ HTTP_PROXY: `http://${proxy.address}`, NO_PROXY: 'localhost' }, { endpoint });
      await succeeds();
      assert.deepEqual(through(), []);
    });

    for (const value of ['example.com', '127.0.0.1:9', '.0.0.2', '7.0.0.1', '']) {
      it(`is used where NO_PROXY is ${JSON.stringify(value)}`, async () => {
        await deploy({ HTTP_PROXY: `http://${proxy.address}`, NO_PROXY: value });
        await succeeds();
        assert.equal(proxy.asked.length, 1);
      });
    }

    it('gets one connection for all requests', async () => {
      await deploy({ HTTP_PROXY: `http://${proxy.address}` });
      for (let times = 0; times < 10; times += 1) await succeeds();
      assert.deepEqual([proxy.asked.length, proxy.connections], [10, 1]);
    });

    it('forwards the requests for a role as well', async () => {
      await deploy({ HTTP_PROXY: `http://${proxy.address}` }, { roleArn: roles.demo.arn });
      await succeeds();
      assert.deepEqual(through(), [`POST ${bench.aws.url}/`, invocation()]);
      const operations = (await bench.aws.requests()).map(({ operation }) => operation);
      assert.deepEqual(operations, ['AssumeRole', 'Invoke']);
    });

    it('is told its user name and password', async () => {
      proxy.login = 'gärtner:tulips & more';
      const login = `${encodeURIComponent('gärtner')}:${encodeURIComponent('tulips & more')}`;
      await deploy({ HTTP_PROXY: `http://${login}@${proxy.address}` });
      await succeeds();
      assert.deepEqual(
        proxy.asked.map(({ authorization }) => authorization),
        [basic(proxy.login)]
      );
    });

    it('is named where it does not accept the password', async () => {
      proxy.login = 'gardener:roses';
      await deploy({ HTTP_PROXY: `http://gardener:tulips@${proxy.address}` });
      const { message, retryable, statusCode } = await failure();
      assert.match(message, /^The proxy does not accept the user name and password, or wants some: check .*HTTP 407/);
      assert.deepEqual([retryable, statusCode], [false, 407]);
    });

    it('is named where nothing answers at its address', async () => {
      await proxy.stop();
      await deploy({ HTTP_PROXY: `http://${proxy.address}` });
      const { name, message, retryable } = await failure();
      assert.equal(name, 'ECONNREFUSED');
      assert.match(message, /^The proxy cannot be reached: check HTTPS_PROXY and HTTP_PROXY in the environment\. \(/);
      assert.equal(retryable, true);
      proxy = await TestProxy.start();
    });

    it('is not blamed for a service that cannot be reached past it', async () => {
      const endpoint = 'http://127.0.0.1:9';
      await deploy({ HTTP_PROXY: `http://${proxy.address}`, NO_PROXY: '127.0.0.1' }, { endpoint });
      assert.match((await failure()).message, /^Nothing answers at the address of the service/);
    });

    it('is not asked for the keys of a container or an instance', async () => {
      const metadata = await Relay.start(bench.aws.url);
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      const keys = { Code: 'Success', AccessKeyId: 'AKIAOTHER', SecretAccessKey: 'none', Token: 'none', Expiration };
      metadata.answer = ({ path }) => {
        if (path === '/latest/api/token') return { body: 'the-token-of-the-metadata-service' };
        if (/security-credentials(-extended)?\/$/.test(path)) return { body: 'instance-role' };
        return { body: JSON.stringify(keys) };
      };
      const proxies = { HTTP_PROXY: `http://${proxy.address}`, HTTPS_PROXY: `http://${proxy.address}` };
      const sources = [
        { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${metadata.url}/container`, AWS_EC2_METADATA_DISABLED: 'true' },
        { AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url }
      ];
      for (const source of sources) {
        metadata.exchanges.length = 0;
        proxy.asked.length = 0;
        delete process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
        env.set({ ...proxies, ...source });
        const nodes = [account(bench, { source: 'default' }), invokeNode(), sink('out')];
        await bench.red.deploy(nodes, { credentials: { account: {} } });
        assert.equal((await failure()).name, 'UnrecognizedClientException');
        assert.ok(metadata.exchanges.length > 0);
        assert.deepEqual([...new Set(through())], [invocation()]);
      }
      await metadata.stop();
    });
  });

  describe('for https', () => {
    let known: Certificate;
    let unknown: Certificate;
    let front: TlsFront;
    let authorities: string[];

    before(async function () {
      onlyWithSupport.call(this);
      const file = join(__dirname, '..', '..', 'bench', 'certificate.mjs');
      const { makeCertificate } = (await import(file)) as { makeCertificate(): Certificate };
      known = makeCertificate();
      unknown = makeCertificate();
      authorities = tls.getCACertificates('default');
      tls.setDefaultCACertificates([...authorities, known.certificate]);
      front = await TlsFront.start(bench.aws.url, known);
    });
    after(async () => {
      if (authorities) tls.setDefaultCACertificates(authorities);
      await front?.stop();
    });

    const deployTls = (environment: Record<string, string>, properties: Record<string, unknown> = {}): Promise<void> =>
      deploy(environment, { endpoint: front.url, ...properties });
    const tunnel = (): { method: string; target: string } => ({ method: 'CONNECT', target: new URL(front.url).host });
    const through = () => proxy.asked.map(({ method, target }) => ({ method, target }));

    for (const name of ['HTTPS_PROXY', 'https_proxy']) {
      it(`opens a tunnel where it is in ${name}`, async () => {
        await deployTls({ [name]: `http://${proxy.address}` });
        await succeeds();
        assert.deepEqual(through(), [tunnel()]);
      });
    }

    it('opens one tunnel for all requests, those for a role included', async () => {
      await deployTls({ HTTPS_PROXY: `http://${proxy.address}` }, { roleArn: roles.demo.arn });
      for (let times = 0; times < 10; times += 1) await succeeds();
      assert.deepEqual(through(), [tunnel()]);
      const operations = (await bench.aws.requests()).map(({ operation }) => operation);
      assert.deepEqual([operations.length, operations[0]], [11, 'AssumeRole']);
      assert.equal(proxy.connections, 1);
    });

    it('loses its connections with the account', async () => {
      await deployTls({ HTTPS_PROXY: `http://${proxy.address}` });
      await succeeds();
      assert.equal(proxy.open, 1);
      await bench.red.deploy([]);
      await bench.red.until(() => proxy.open === 0, 'the connection to close');
    });

    it('is passed by where NO_PROXY is the host', async () => {
      await deployTls({ HTTPS_PROXY: `http://${proxy.address}`, NO_PROXY: '127.0.0.1' });
      await succeeds();
      assert.deepEqual(through(), []);
    });

    it('can itself be one by https', async () => {
      const secure = await TestProxy.start(known);
      await deployTls({ HTTPS_PROXY: `https://${secure.address}` });
      await succeeds();
      await succeeds();
      assert.deepEqual([secure.asked.length, secure.connections], [1, 1]);
      await bench.red.deploy([]);
      await secure.stop();
    });

    it('is told its user name and password, and the service is not', async () => {
      proxy.login = 'gardener:tulips';
      await deployTls({ HTTPS_PROXY: `http://gardener:tulips@${proxy.address}` });
      await succeeds();
      assert.equal(proxy.asked[0]?.authorization, basic('gardener:tulips'));
      const [request] = await bench.aws.requests();
      assert.deepEqual(
        Object.keys(request?.headers ?? {}).filter((name) => name.startsWith('proxy')),
        []
      );
    });

    it('is named where it does not accept the password, and keeps no connection', async () => {
      proxy.login = 'gardener:roses';
      await deployTls({ HTTPS_PROXY: `http://gardener:tulips@${proxy.address}` });
      const { name, message, retryable } = await failure();
      assert.equal(name, 'ERR_PROXY_TUNNEL');
      assert.match(message, /^The proxy does not accept the user name and password, or wants some: check .* 407 /);
      assert.equal(retryable, false);
      await bench.red.until(() => proxy.open === 0, 'the connection to close');
    });

    it('is named where it opens no tunnel', async () => {
      proxy.refusal = '403 Forbidden';
      await deployTls({ HTTPS_PROXY: `http://${proxy.address}` });
      const { name, message } = await failure();
      assert.equal(name, 'ERR_PROXY_TUNNEL');
      assert.match(message, /^The proxy made no connection to the service\. \(.*403 Forbidden\)$/);
    });

    it('is named where nothing answers at its address', async () => {
      await proxy.stop();
      await deployTls({ HTTPS_PROXY: `http://${proxy.address}` });
      const { name, message } = await failure();
      assert.equal(name, 'ECONNREFUSED');
      assert.match(message, /^The proxy cannot be reached: check HTTPS_PROXY and HTTP_PROXY in the environment\. \(/);
      proxy = await TestProxy.start();
    });

    it('is named where it speaks no TLS though its address says so', async () => {
      await deployTls({ HTTPS_PROXY: `https://${proxy.address}` });
      const { message, retryable } = await failure();
      assert.match(message, /^No TLS connection to the proxy could be made: check HTTPS_PROXY and HTTP_PROXY/);
      assert.equal(retryable, false);
    });

    it('is named where its certificate is not trusted', async () => {
      const secure = await TestProxy.start(unknown);
      await deployTls({ HTTPS_PROXY: `https://${secure.address}` });
      assert.match((await failure()).message, /^No TLS connection to the proxy could be made: .*certificate/);
      await secure.stop();
    });

    it('is not blamed for the certificate of the service', async () => {
      const other = await TlsFront.start(bench.aws.url, unknown);
      await deployTls({ HTTPS_PROXY: `http://${proxy.address}` }, { endpoint: other.url });
      assert.match((await failure()).message, /^The certificate of the service is not trusted/);
      await other.stop();
    });

    it('has as long to open a tunnel as a service has to be connected to', async () => {
      proxy.silent = true;
      await deployTls({ HTTPS_PROXY: `http://${proxy.address}` });
      const began = performance.now();
      const { name, message, retryable } = await failure(15_000);
      assert.ok(performance.now() - began < 11_000);
      assert.equal(name, 'Timeout');
      assert.match(message, /^The proxy cannot be reached: .*\(The proxy did not answer in time\.\)$/);
      assert.equal(retryable, true);
      await bench.red.until(() => proxy.open === 0, 'the connection to close');
    });

    it('never has its password told, whatever it does with it', async () => {
      const login = 'gardener:tulips%26roses';
      const plain = decodeURIComponent(login);
      const secrets = [basic(plain).slice('Basic '.length), 'tulips&roses', 'tulips%26roses'];
      const refusals = [`407 Not ${plain}`, `407 Not ${basic(plain)}`, `502 Not ${login}`];
      for (const refusal of refusals) {
        proxy.refusal = refusal;
        const both = {
          HTTP_PROXY: `http://${login}@${proxy.address}`,
          HTTPS_PROXY: `http://${login}@${proxy.address}`
        };
        for (const endpoint of [bench.aws.url, front.url]) {
          await deploy(both, { endpoint, validate: true });
          const { error, statuses, msg } = await invoke();
          await bench.red.until(() => warnings().some((text) => text.startsWith('Sign-in failed')));
          const told = inspect([error, statuses, msg, bench.red.logs], { depth: 20, showHidden: true });
          for (const secret of secrets) assert.ok(!told.includes(secret), `${secret} after ${refusal}: ${told}`);
        }
      }
    });

    const malformed = [
      'http://gardener:tu#lips@127.0.0.1:3128',
      'http://gardener:1/tulips@127.0.0.1:3128',
      'http://gardener:tulips%zz@127.0.0.1:3128',
      'socks5://gardener:tulips@127.0.0.1:1080',
      'http://gardener:tulips@',
      '://'
    ];
    for (const value of malformed) {
      it(`is asked for anew where the variable is ${value}`, async () => {
        await deployTls({ HTTPS_PROXY: value });
        const error = await failure();
        assert.equal(error.name, 'InvalidValue');
        assert.match(error.message, /The environment variable HTTPS_PROXY must be the URL of an HTTP proxy, such as /);
        const told = inspect([error, bench.red.logs], { depth: 20 });
        assert.doesNotMatch(told, /lips|gardener/);
      });
    }

    it('may be malformed where no request goes there', async () => {
      await deployTls({ HTTPS_PROXY: 'http://', NO_PROXY: '127.0.0.1' });
      await succeeds();
      await deploy({ HTTPS_PROXY: 'http://' });
      await succeeds();
    });
  });
});
