import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { CertificatePlaces, Device, DeviceOptions } from './certificates/devices';
import { type Control, controlPath, type ManyFunctions, type Settings } from './server/control';
import type { Fault } from './server/faults';
import type { Population } from './server/population';
import type { Condition, InvocationRecord, RequestRecord } from './server/records';

export type { CertificatePlaces, Device, DeviceOptions } from './certificates/devices';
export { profiles, roleAliases, trustAnchors } from './certificates/resources';
export type { ManyFunctions, Settings } from './server/control';
export type { Fault, FaultKind } from './server/faults';
export type { Population } from './server/population';
export type { Condition, InvocationRecord, RequestRecord } from './server/records';
export { roles, signIns } from './server/sign-ins';

/** Options of `LocalAws.start`. */
interface StartOptions {
  /** The port; by default, or with 0, a free one below 32768. */
  readonly port?: number;
  /** One or more folders of handlers, in addition to `local-aws/lambda/functions`. */
  readonly functions?: string | readonly string[];
  /** Collections of faces of the first account in us-east-1, which exist until `reset`. */
  readonly collections?: readonly string[];
}

/** A client for the local AWS in a process of its own, and for its controls. */
export class LocalAws {
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(
    /** Its endpoint, `http://127.0.0.1:<port>`, for all services. */
    readonly url: string,
    private readonly child: ChildProcess
  ) {}

  /**
   * Starts the process, on the Node 24 of node_modules whatever runs the caller. It ends with its parent at the latest,
   * and does not keep the parent alive.
   *
   * @throws Error if it ends before it is ready, such as when the port is taken
   */
  static async start(options: StartOptions = {}): Promise<LocalAws> {
    const folders = typeof options.functions === 'string' ? [options.functions] : (options.functions ?? []);
    const parameters = [
      // Node still calls the function that strips types experimental.
      '--disable-warning=ExperimentalWarning',
      '--import',
      // A caller that was itself loaded by tsx may have a `require` that adds to the path.
      pathToFileURL(createRequire(__filename).resolve('tsx')).href,
      path.join(__dirname, 'main.ts'),
      '--with-parent'
    ];
    for (const folder of folders) parameters.push('--functions', path.resolve(folder));
    for (const collection of options.collections ?? []) parameters.push('--collection', collection);
    if (options.port !== undefined) parameters.push('--port', String(options.port));
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = spawn(nodeBinary(), parameters, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const url = await readUrl(child);
    child.unref();
    for (const stream of child.stdio) (stream as unknown as { unref(): void }).unref();
    return new LocalAws(url, child);
  }

  /** Calls back when the process has ended for any reason. */
  whenEnded(callback: () => void): void {
    this.child.once('exit', callback);
  }

  /** Ends the process; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#agent.destroy();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.ref();
    this.child.kill('SIGTERM');
    await gone;
  }

  /** Injects a fault into matching requests from now on. Of several that match the oldest counts. */
  async fault(fault: Fault): Promise<void> {
    await this.#control('fault', fault);
  }

  async clearFaults(): Promise<void> {
    await this.#control('clearFaults', null);
  }

  /** Every request since the last reset, in the order of their arrival. */
  requests(): Promise<RequestRecord[]> {
    return this.#control('requests', null);
  }

  /** Every real run of a function since the last reset. */
  invocations(functionName?: string): Promise<InvocationRecord[]> {
    return this.#control('invocations', functionName === undefined ? {} : { functionName });
  }

  /** How many TCP connections have carried requests to a service since the last reset. */
  connections(): Promise<number> {
    return this.#control('connections', null);
  }

  async settings(settings: Settings): Promise<void> {
    await this.#control('settings', settings);
  }

  /** Adds functions that make ListFunctions long. */
  async addFunctions(many: ManyFunctions): Promise<void> {
    await this.#control('addFunctions', many);
  }

  /**
   * Adds thousands of resources within milliseconds, for long lists: `populate({ functions: 2000 })` adds `fleet-0001` to
   * `fleet-2000`. They work like any other; the functions have the code of `echo`. Existing resources are kept. Function names
   * are unique across regions, so use another prefix for another region.
   */
  async populate(population: Population): Promise<void> {
    await this.#control('populate', population);
  }

  /** Where devices sign in with certificates, and what its server's certificate is checked against. */
  certificatePlaces(): Promise<CertificatePlaces> {
    return this.#control('certificatePlaces', null);
  }

  /** Makes a device with a certificate of its own. It stays until the process ends. */
  makeDevice(options: DeviceOptions = {}): Promise<Device> {
    return this.#control('makeDevice', options);
  }

  /** Makes a certificate of another authority, as PEM, known to IoT Core. */
  async register(certificate: string): Promise<void> {
    await this.#control('register', { certificate });
  }

  /** Takes a certificate, as PEM, its rights away. */
  async revoke(certificate: string): Promise<void> {
    await this.#control('revoke', { certificate });
  }

  /** Removes what `populate` and `addFunctions` have added, as `reset` does. */
  async clearPopulation(): Promise<void> {
    await this.#control('clearPopulation', null);
  }

  /**
   * Waits for a condition.
   *
   * @throws Error that says what has happened instead, if the condition is not met within `timeoutMs`
   */
  async until(condition: Condition, timeoutMs = 60_000): Promise<void> {
    if (await this.#control('until', { ...condition, timeoutMs })) return;
    const runs = (await this.invocations()).map((each) => `${each.functionName} ${each.outcome}`);
    const requests = (await this.requests()).map((each) => `${each.operation} ${each.status ?? 'unanswered'}`);
    const seen = `${runs.slice(-20).join(', ') || 'no runs'}; ${requests.slice(-20).join(', ') || 'no requests'}`;
    throw new Error(`${JSON.stringify(condition)} did not come true within ${timeoutMs} ms. Last seen: ${seen}`);
  }

  /**
   * Clears requests, runs, faults, settings, added resources and collections of faces. Temporary credentials and queues
   * stay.
   */
  async reset(): Promise<void> {
    await this.#control('reset', null);
  }

  #control<Name extends keyof Control>(name: Name, given: Control[Name]['takes']): Promise<Control[Name]['gives']> {
    return new Promise((resolve, reject) => {
      const outgoing = request(`${this.url}${controlPath}${name}`, { method: 'POST', agent: this.#agent }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (answer.statusCode === 200) resolve(JSON.parse(text) as Control[Name]['gives']);
          else reject(new Error(`${name}: ${text}`));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(given));
    });
  }
}

function nodeBinary(): string {
  const packageFile = require.resolve('node/package.json');
  const { bin } = JSON.parse(readFileSync(packageFile, 'utf8')) as { bin: { node: string } };
  return path.join(path.dirname(packageFile), bin.node);
}

function readUrl(child: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve, reject) => {
    let complaints = '';
    const collect = (text: Buffer) => {
      complaints += text;
    };
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', () => reject(new Error(`The local AWS ended before it was ready. ${complaints}`)));
    createInterface({ input: child.stdout }).once('line', (line) => {
      child.stderr.off('data', collect).pipe(process.stderr, { end: false });
      const { url } = JSON.parse(line) as { url: string };
      resolve(url);
    });
  });
}
