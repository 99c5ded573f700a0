import type { STSClientResolvedConfig } from '@aws-sdk/client-sts';

/** The SDK of each service, by the name that IAM gives the service. Nothing is loaded before `sdkOf` is called. */
interface Modules {
  lambda: typeof import('@aws-sdk/client-lambda');
  rekognition: typeof import('@aws-sdk/client-rekognition');
  sns: typeof import('@aws-sdk/client-sns');
  sqs: typeof import('@aws-sdk/client-sqs');
  sts: typeof import('@aws-sdk/client-sts');
}
export type ServiceName = keyof Modules;

/** What the nodes and their dialogs call. The commands of other operations do not compile. */
export const operations = {
  lambda: [
    'Invoke',
    'ListAliases',
    'ListFunctions',
    'ListVersionsByFunction',
    'SendDurableExecutionCallbackFailure',
    'SendDurableExecutionCallbackHeartbeat',
    'SendDurableExecutionCallbackSuccess'
  ],
  rekognition: [
    'CompareFaces',
    'CreateCollection',
    'DeleteFaces',
    'DetectFaces',
    'DetectLabels',
    'DetectModerationLabels',
    'DetectProtectiveEquipment',
    'DetectText',
    'IndexFaces',
    'ListCollections',
    'ListFaces',
    'RecognizeCelebrities',
    'SearchFacesByImage'
  ],
  sns: ['ListTopics', 'Publish', 'PublishBatch'],
  sqs: [
    'ChangeMessageVisibility',
    'ChangeMessageVisibilityBatch',
    'DeleteMessage',
    'DeleteMessageBatch',
    'GetQueueAttributes',
    'GetQueueUrl',
    'ListQueues',
    'ReceiveMessage',
    'SendMessage',
    'SendMessageBatch'
  ],
  sts: ['AssumeRole', 'GetCallerIdentity']
} as const satisfies Record<ServiceName, readonly string[]>;

type OperationOf<S extends ServiceName> = (typeof operations)[S][number];

/** An SDK with the commands of these operations only. */
type With<Operation extends string, Module> = Omit<Module, `${string}Command`> &
  Pick<Module, keyof Module & `${Operation}Command`>;

/** The SDK of each service, as far as it is used here. */
export type Sdks = { [S in ServiceName]: With<OperationOf<S>, Modules[S]> };

interface Loader<S extends ServiceName> {
  load(): Sdks[S];
  client: keyof Sdks[S] & `${string}Client`;
  /** Further options of all clients of this service. */
  options?: object;
}

const loaders: { [S in ServiceName]: Loader<S> } = {
  lambda: { load: () => require('@aws-sdk/client-lambda'), client: 'LambdaClient' },
  rekognition: { load: () => require('@aws-sdk/client-rekognition'), client: 'RekognitionClient' },
  sns: { load: () => require('@aws-sdk/client-sns'), client: 'SNSClient' },
  sqs: {
    load: () => require('@aws-sdk/client-sqs'),
    client: 'SQSClient',
    options: {
      // A queue's URL may come from a message: a signed request must not be sent to its host.
      useQueueUrlAsEndpoint: false,
      // The SDK reports a wrong checksum as a failure, although the message has already been accepted.
      md5: false
    }
  },
  sts: { load: () => require('@aws-sdk/client-sts'), client: 'STSClient' }
};

const isServiceName = (name: string): name is ServiceName => Object.hasOwn(loaders, name);

/** All services that requests are sent to. */
export const serviceNames: readonly ServiceName[] = Object.keys(loaders).filter(isServiceName);

/** Kept here, since even for a loaded module `require` takes 10 µs, which every message would pay. */
const loaded: { [S in ServiceName]?: Sdks[S] } = {};

/** Loads the SDK of a service: 65 ms the first time, nothing after that. */
export function sdkOf<S extends ServiceName>(service: S): Sdks[S] {
  const known = loaded[service];
  if (known) return known;
  const sdk = loaders[service].load();
  loaded[service] = sdk;
  return sdk;
}

/** What the SDK adds to outputs and errors about the request. */
export interface Metadata {
  httpStatusCode?: number | undefined;
  requestId?: string | undefined;
  attempts?: number | undefined;
}

/** What every output of the SDK has. */
export interface Answer {
  $metadata: Metadata;
}

/** Sends signed requests. All clients of an account share one. */
export type RequestHandler = STSClientResolvedConfig['requestHandler'];

/** The part of the SDK's commands that is used here. */
export interface Command<Output> {
  readonly input: object;
  /** The SDK's schema of the operation. */
  readonly schema?: unknown;
  resolveMiddleware(stack: never, config: never, options: never): (args: never) => Promise<{ output: Output }>;
}

/** Signs requests. `signingDate` is the time in the signature. */
export interface Signer {
  sign(request: object, options: { signingDate: Date }): Promise<object>;
}

/** The part of an SDK client that is used here; each service's own type is narrower. */
export interface SdkClient {
  config: {
    requestHandler: RequestHandler;
    region(): Promise<string>;
    credentials(): Promise<unknown>;
    signer(scheme: unknown): Promise<Signer>;
    disableClockSkewCorrection?(): Promise<boolean>;
  };
  middlewareStack: Record<'add' | 'addRelativeTo', (middleware: object, options: object) => void>;
  send<Output>(command: Command<Output>): Promise<Output>;
}
type SdkClientClass = new (options: object) => SdkClient;

/** The class of a service's client. */
export const clientClassOf = (service: ServiceName): SdkClientClass =>
  (sdkOf(service) as Record<string, unknown>)[loaders[service].client] as SdkClientClass;

/** The further options of all clients of a service. */
export const clientOptionsOf = (service: ServiceName): object => loaders[service].options ?? {};
