import type { Clients } from './clients';
import { redact } from './redaction';
import { sdkOf } from './sdks';

/** Who a sign-in is. */
export interface CallerIdentity {
  /** The account's number. */
  account: string;
  arn: string;
  region: string;
}

/** Asks STS whose the keys are; no permission is needed for it. Rejects with what the SDK throws. */
export async function callerIdentity(clients: Clients, signal: AbortSignal): Promise<CallerIdentity> {
  const { GetCallerIdentityCommand } = sdkOf('sts');
  const client = await clients.get('sts');
  const limits = { abortSignal: signal };
  const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}), limits);
  const clean = (text: string) => redact(text, clients.secrets());
  return { account: Account, arn: clean(Arn), region: clean(client.region) };
}
