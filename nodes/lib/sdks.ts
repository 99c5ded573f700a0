import type { RequestHandler } from './sign-in';

/** The SDK of each service, by the name that IAM gives the service. Nothing is loaded before `sdkOf` is called. */
export interface Sdks {
  lambda: typeof import('@aws-sdk/client-lambda');
  sts: typeof import('@aws-sdk/client-sts');
}
export type ServiceName = keyof Sdks;

const loaders: { [S in ServiceName]: () => [sdk: Sdks[S], clientName: keyof Sdks[S] & `${string}Client`] } = {
  lambda: () => [require('@aws-sdk/client-lambda'), 'LambdaClient'],
  sts: () => [require('@aws-sdk/client-sts'), 'STSClient']
};

/** Even what is loaded already costs `require` 10 µs, which every message would pay. */
const loaded: { [S in ServiceName]?: Sdks[S] } = {};

/** Loads the SDK of a service: 65 ms the first time, nothing after that. */
export function sdkOf<S extends ServiceName>(service: S): Sdks[S] {
  loaded[service] ??= loaders[service]()[0];
  return loaded[service] as Sdks[S];
}

/** What every SDK command has in common here. */
export interface Command<Output> {
  readonly input: object;
  resolveMiddleware(stack: never, config: never, options: never): (args: never) => Promise<{ output: Output }>;
}

/** The part of an SDK client that is used here; each service's own type is narrower. */
export interface SdkClient {
  config: { requestHandler: RequestHandler; region(): Promise<string> };
  middlewareStack: { add(middleware: object, options: object): void };
  send(command: unknown): Promise<unknown>;
}
export type SdkClientClass = new (options: object) => SdkClient;

/** The class of a service's client. */
export function clientClassOf(service: ServiceName): SdkClientClass {
  const [sdk, clientName] = loaders[service]();
  return (sdk as Record<string, unknown>)[clientName] as SdkClientClass;
}
