/** The connection test in the dialog of an account. */
import type { NodeAPI } from 'node-red';
import type { CallerIdentity } from '../account/caller-identity';
import { callerIdentity } from '../account/caller-identity';
import type { CertificateSummary } from '../account/certificate';
import type { Clients } from '../account/clients';
import { within } from '../action/within';
import { errorOfSignIn, readDraft, refusalFor } from './draft';
import type { Refusal } from './refusal';

/** What a test knows of the certificate that signs in, whether it works or not. */
interface WithCertificate {
  certificate?: CertificateSummary | undefined;
}

/** The result of a successful test; `way` is where the default chain has found the keys. */
export interface Connection extends CallerIdentity, WithCertificate {
  way?: string | undefined;
}

/** The sources of the SDK's default chain, by the SDK's names for where it found keys. */
const ways: ReadonlyArray<readonly [way: string, mark: RegExp]> = [
  ['environment', /_ENV_VARS$/],
  ['instance', /_IMDS$/],
  ['container', /_HTTP$/],
  ['webIdentity', /_WEB_ID/],
  ['sso', /_SSO/],
  ['process', /_PROCESS$/],
  ['files', /_PROFILE/]
];

async function wayOf(clients: Clients): Promise<string | undefined> {
  const marks = Object.keys((await clients.identity()).$source ?? {});
  return ways.find(([, mark]) => marks.some((each) => mark.test(each)))?.[0];
}

/** The time limit, ms: the metadata of an instance, an SSO portal and STS may have to be asked in turn. */
const limit = 15_000;

/** Tests the sign-in in a dialog: see `readDraft` for what a user who may not deploy can have tested. */
export async function tryConnection(
  RED: NodeAPI,
  body: unknown,
  mayDeploy: () => Promise<boolean>
): Promise<Connection | (WithCertificate & { refusal: Refusal })> {
  const draft = await readDraft(RED, body, mayDeploy);
  if ('refusal' in draft) return draft;
  let clients: Clients | undefined;
  try {
    const made = draft.open();
    clients = made;
    const identity = await within(limit, (signal) => callerIdentity(made, signal));
    return { ...identity, way: await wayOf(made), certificate: made.certificate };
  } catch (thrown) {
    const error = errorOfSignIn(thrown, [...(clients?.secrets() ?? []), ...draft.typed]);
    return { refusal: refusalFor(thrown, error), certificate: clients?.certificate };
  } finally {
    clients?.close();
  }
}
