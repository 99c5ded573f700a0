import { randomInt, randomUUID, X509Certificate } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Devices } from './certificates/devices';
import { type CertificateSettings, iot, refusesConnection } from './certificates/iot';
import { rolesAnywhere } from './certificates/roles-anywhere';
import { bareName } from './lambda/function-name';
import { Functions, ownFunctions } from './lambda/functions';
import { Lambda } from './lambda/lambda';
import { Messaging } from './messaging/messaging';
import type { Rekognition } from './rekognition/rekognition';
import { AwsError, errorAnswer, unknownOperation } from './server/aws-error';
import { type Answer, readCall, type ServiceCall } from './server/call';
import { type Control, controlPath, type Settings } from './server/control';
import { failEntries } from './server/entries';
import { answerInstead, type Fault, Faults, type Strike } from './server/faults';
import { delay, readBody, reset, send, tooLarge } from './server/http';
import { LoopbackServer } from './server/loopback';
import { numbered, type Population } from './server/population';
import { Records, type RequestRecord } from './server/records';
import { checkError } from './server/schema';
import { functionRole, type Principal, Principals, signIns } from './server/sign-ins';
import { authenticate } from './server/sigv4';
import { sts } from './sts/sts';

/** Options of `startLocalAws`. */
interface LocalAwsOptions {
  /** The port, below 32768, where systems assign none by themselves. By default, or with 0, a free one from 20000 on. */
  readonly port?: number;
  /** Folders of handlers, in addition to `local-aws/lambda/functions`; see `Functions`. */
  readonly functions?: readonly string[];
  /** Collections of faces of the first account in us-east-1. */
  readonly collections?: readonly string[];
}

/** A running local AWS. */
interface RunningLocalAws {
  readonly url: string;
  close(): Promise<void>;
}

const shownHeaders = /^(content-type|user-agent|amz-sdk-request|amz-sdk-invocation-id|x-amz-(?!security-token).*)$/;

/**
 * Starts the local AWS on 127.0.0.1.
 *
 * @throws the system's error if the port is taken or no port is free
 */
export async function startLocalAws(options: LocalAwsOptions = {}): Promise<RunningLocalAws> {
  const aws = new LocalAwsServer(options.functions ?? [], options.collections ?? []);
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    aws.serve(request, response).catch((error: unknown) => {
      console.error('local-aws:', error);
      request.socket.destroy();
    });
  };
  const server = new LoopbackServer({ maxHeaderSize: 64 * 1024, keepAliveTimeout: 60_000 }, serve);
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  aws.url = `http://127.0.0.1:${port}`;
  const provider = await startCredentialsProvider(aws, serve);
  return { url: aws.url, close: () => Promise.all([close(provider), close(server)]).then(() => aws.close()) };
}

/** Starts the credentials provider of IoT Core, which ends the connections of certificates that it does not accept. */
async function startCredentialsProvider(aws: LocalAwsServer, serve: RequestListener) {
  const options = { ...aws.devices.makeServer(), requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, serve);
  server.on('secureConnection', (socket: TLSSocket) => {
    if (refusesConnection(socket, aws.devices, aws.now())) socket.destroy();
  });
  await listen(server, undefined);
  aws.credentialEndpoint = `localhost:${(server.address() as AddressInfo).port}`;
  return server;
}

type Listening = Pick<Server, 'address' | 'close' | 'closeAllConnections'> & NetServer;

async function listen(server: NetServer, port: number | undefined): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port || randomInt(20_000, 32_768), '127.0.0.1', () => {
          server.off('error', reject);
          resolve();
        });
      });
      return;
    } catch (error) {
      if (port || attempt >= 50) throw error;
    }
  }
}

async function close(server: Listening): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/** How long the credentials of a function are valid, ms. */
const functionSession = 12 * 3_600_000;

class LocalAwsServer {
  /** Its endpoint. */
  url = '';
  /** That of the credentials provider, a host and port. */
  credentialEndpoint = '';
  readonly devices = new Devices();
  readonly #records = new Records();
  readonly #faults = new Faults();
  readonly #principals = new Principals();
  readonly #messaging = new Messaging();
  #rekognition: Promise<Rekognition> | undefined;
  readonly #connections = new WeakMap<Socket, number>();
  readonly #functions: Functions;
  readonly #lambda: Lambda;
  #settings: Settings = {};
  #firstCollections: readonly string[];

  constructor(folders: readonly string[], collections: readonly string[]) {
    this.#firstCollections = collections;
    this.#functions = new Functions([ownFunctions, ...folders]);
    this.#lambda = new Lambda(this.#functions, this.#records, (account, name) => this.#accessOf(account, name));
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === 'gone') return;
    if (body === 'too large') return tooLarge(response);
    const url = request.url ?? '/';
    if (url.startsWith(controlPath)) return this.#control(request, response, url.slice(controlPath.length), body);
    const { method = 'GET', headers } = request;
    const call = readCall({ requestId: randomUUID(), method, url, headers, body });
    const functionName = bareName(String(call.input.FunctionName ?? ''));
    const fault = this.#faults.next(call, call.operation === 'Invoke' ? functionName : undefined);
    const record = this.#record(call, request.socket, fault);
    response.on('close', () => {
      record.finished = true;
      this.#records.changed();
    });
    const answer = await this.#answerWithFault(call, response, fault);
    if (!answer || response.destroyed) return;
    record.status = answer.status;
    if (answer.errorCode) record.errorCode = answer.errorCode;
    send(response, answer, fault?.kind === 'truncate', this.now());
  }

  async close(): Promise<void> {
    await Promise.all([this.#lambda.close(), this.#messaging.close()]);
  }

  /** What a function needs to call other services of this one, in the words of every SDK. */
  #accessOf(account: string, name: string): Record<string, string> {
    const session = this.#principals.startSession(functionRole(account, name), name, this.now() + functionSession);
    return {
      AWS_ENDPOINT_URL: this.url,
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken ?? ''
    };
  }

  /** Its clock, ms since the epoch. */
  now(): number {
    return Date.now() + (this.#settings.clockAheadSeconds ?? 0) * 1000;
  }

  #record(call: ServiceCall, socket: Socket, fault: Fault | undefined): RequestRecord {
    const record: RequestRecord = {
      requestId: call.requestId,
      time: Date.now(),
      service: call.service,
      operation: call.operation,
      accessKeyId: /Credential=([^/,\s]+)/.exec(call.headers.authorization ?? '')?.[1] ?? '',
      sessionToken: call.headers['x-amz-security-token'] !== undefined,
      region: call.region,
      method: call.method,
      path: call.path,
      headers: Object.fromEntries(
        Object.entries(call.headers)
          .filter(([name]) => shownHeaders.test(name))
          .map(([name, value]) => [name, String(value)])
      ),
      input: loggedInput(call),
      bytes: call.body.length,
      connection: this.#connectionNumber(socket),
      finished: false,
      ...(fault ? { fault: fault.kind } : {})
    };
    this.#records.addRequest(record);
    return record;
  }

  #connectionNumber(socket: Socket): number {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    this.#records.connections += 1;
    this.#connections.set(socket, this.#records.connections);
    return this.#records.connections;
  }

  /** The answer; `undefined` if there is none. */
  async #answerWithFault(
    call: ServiceCall,
    response: ServerResponse,
    fault: Strike | undefined
  ): Promise<Answer | undefined> {
    if (!fault) return this.#answer(call, response);
    if (fault.kind === 'resetBefore') return void reset(response);
    if (fault.kind === 'hang') return undefined;
    if (fault.kind === 'delay') await delay(fault.delayMs ?? 1000, response);
    const instead = answerInstead(fault, call);
    if (instead) return instead;
    const answer = await this.#answer(call, response, fault);
    if (fault.kind === 'resetAfter') return void reset(response);
    if (fault.kind === 'hangAfter') return undefined;
    if (fault.kind === 'delayAfter') await delay(fault.delayMs ?? 1000, response);
    return fault.kind === 'badJson' ? { ...answer, body: '{"broken": ' } : answer;
  }

  async #answer(call: ServiceCall, response: ServerResponse, fault?: Strike): Promise<Answer> {
    try {
      return await this.#work(call, response, fault);
    } catch (error) {
      if (!(error instanceof AwsError)) return internalError(call, error);
      try {
        checkError(call.service, error);
      } catch (mistake) {
        return internalError(call, mistake);
      }
      return errorAnswer(call, error);
    }
  }

  async #work(call: ServiceCall, response: ServerResponse, fault?: Strike): Promise<Answer> {
    if (call.service === 'rolesanywhere' && call.operation) return rolesAnywhere(call, this.#certificateSettings());
    // Certificates are shown to the credentials provider only, which is a server of its own.
    if (call.service === 'iot' && call.operation && response.socket instanceof TLSSocket) {
      return iot(call, response.socket.getPeerX509Certificate(), this.#certificateSettings());
    }
    const signer = this.#withPolicy(authenticate(call, this.#principals, this.now()));
    const principal: Principal = fault?.kind === 'denied' ? { ...signer, allows: 'nothing' } : signer;
    if (fault?.kind !== 'entries') return this.#serve(call, principal, response);
    const { rest, complete } = failEntries(call, fault, fault.random);
    return complete(rest && (await this.#serve(rest, principal, response)));
  }

  /** With the policy that a test has set. */
  #withPolicy(signer: Principal): Principal {
    const { policy } = this.#settings;
    return policy && signer.arn === signIns.limited.arn ? { ...signer, allows: policy } : signer;
  }

  #certificateSettings(): CertificateSettings {
    return {
      principals: this.#principals,
      devices: this.devices,
      now: () => this.now(),
      temporaryCredentialsSeconds: this.#settings.temporaryCredentialsSeconds ?? undefined
    };
  }

  async #serve(call: ServiceCall, principal: Principal, response: ServerResponse): Promise<Answer> {
    if (call.service === 'lambda') return this.#lambda.answer(call, principal);
    if (call.service === 'sts') {
      return sts(call, principal, {
        principals: this.#principals,
        now: () => this.now(),
        temporaryCredentialsSeconds: this.#settings.temporaryCredentialsSeconds ?? undefined,
        trust: this.#settings.trust ?? undefined
      });
    }
    if (call.service === 'sqs' || call.service === 'sns') {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      if (response.destroyed) gone.abort();
      return this.#messaging.answer(call, principal, gone.signal);
    }
    if (call.service === 'rekognition') {
      return (await this.#loadRekognition()).answer(call, principal);
    }
    throw unknownOperation(call);
  }

  /** Loads Rekognition with its first request, since its client and the library for pictures take a while. */
  #loadRekognition(): Promise<Rekognition> {
    this.#rekognition ??= import('./rekognition/rekognition.js').then((module) => {
      const rekognition = new module.Rekognition();
      for (const id of this.#firstCollections) rekognition.collections.add(signIns.demo.account, 'us-east-1', id);
      return rekognition;
    });
    return this.#rekognition;
  }

  async #control(request: IncomingMessage, response: ServerResponse, name: string, body: Buffer): Promise<void> {
    try {
      // Refused with an `Origin` header, so that no page in a browser on this machine can change anything.
      if (request.headers.origin !== undefined || request.method !== 'POST') throw new Error('not allowed');
      const controls = this.#controls(response);
      const control = Object.hasOwn(controls, name) ? controls[name as keyof Control] : undefined;
      if (!control) throw new Error(`There is no control call '${name}'.`);
      const given: unknown = JSON.parse(body.toString('utf8') || 'null');
      const result = await (control as (given: unknown) => unknown)(given);
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(result ?? null));
    } catch (error) {
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end(String(error));
    }
  }

  #controls(response: ServerResponse): { [Name in keyof Control]: (given: Control[Name]['takes']) => unknown } {
    return {
      fault: (fault) => this.#faults.add(fault),
      clearFaults: () => this.#faults.clear(),
      settings: (settings) => this.#set({ ...this.#settings, ...settings }),
      requests: () => this.#records.requests,
      invocations: ({ functionName }) =>
        this.#records.invocations.filter((each) => functionName === undefined || each.functionName === functionName),
      connections: () => this.#records.connections,
      addFunctions: ({ count, ...rest }) => this.#populate({ prefix: 'device', ...rest, functions: count }),
      populate: (population) => this.#populate(population),
      certificatePlaces: () => ({
        credentialEndpoint: this.credentialEndpoint,
        ca: this.devices.root.certificate.toString()
      }),
      makeDevice: (options) => this.devices.make(options),
      register: ({ certificate }) => this.devices.register(new X509Certificate(certificate)),
      revoke: ({ certificate }) => this.devices.revoke(new X509Certificate(certificate)),
      clearPopulation: () => this.#clearPopulation(),
      until: ({ timeoutMs, ...condition }) => {
        const gone = new AbortController();
        response.on('close', () => gone.abort());
        return this.#records.until(condition, timeoutMs, gone.signal);
      },
      reset: () => this.#reset()
    };
  }

  #set(settings: Settings): void {
    this.#settings = settings;
    this.#lambda.eventRetries = settings.eventRetries ?? 0;
  }

  async #populate(population: Population): Promise<void> {
    const { functions = 0, topics = 0, queues = 0, collections = 0, versions = 0, aliases = 0 } = population;
    const { prefix = 'fleet', account = signIns.demo.account, region = 'us-east-1' } = population;
    const names = (count: number) => numbered(prefix, count);
    this.#functions.addMany({ names: names(functions), account, region, versions, aliases });
    if (topics + queues > 0) {
      await this.#messaging.addMany({ topics: names(topics), queues: names(queues), account, region });
    }
    if (collections > 0) (await this.#loadRekognition()).collections.addMany(account, region, names(collections));
  }

  async #clearPopulation(): Promise<void> {
    this.#functions.removeAdded();
    this.#messaging.removeAdded();
    (await this.#rekognition)?.collections.removeAdded();
  }

  async #reset(): Promise<void> {
    this.#faults.clear();
    this.#records.clear();
    this.#lambda.reset();
    this.#set({});
    this.#firstCollections = [];
    await this.#clearPopulation();
    (await this.#rekognition)?.collections.clear();
  }
}

/** The input as it is recorded: with the size of a picture instead of its bytes. */
function loggedInput({ service, body, input }: ServiceCall): Record<string, unknown> {
  const { Image: image } = input as { Image?: { Bytes?: unknown } };
  if (service === 'rekognition' && typeof image?.Bytes === 'string') {
    const bytes = Buffer.byteLength(image.Bytes, 'base64');
    return { ...input, Image: { ...image, Bytes: `(${bytes} bytes)` } };
  }
  return body.length <= 64 * 1024 ? input : {};
}

function internalError(call: ServiceCall, error: unknown): Answer {
  console.error('local-aws:', error);
  return errorAnswer(call, new AwsError(500, 'InternalFailure', `The local AWS made a mistake: ${String(error)}`));
}
