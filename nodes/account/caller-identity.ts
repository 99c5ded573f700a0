import type { Clients } from './clients';
import { redact } from './redaction';
import { sdkOf } from './sdks';

/** What STS says of credentials. */
export interface CallerIdentity {
  /** The account number, 12 digits. */
  account: string;
  arn: string;
  region: string;
}

/** Calls `GetCallerIdentity` of STS, which needs no permission. Rejects with the SDK's error. */
export async function callerIdentity(clients: Clients, signal: AbortSignal): Promise<CallerIdentity> {
  const { GetCallerIdentityCommand } = sdkOf('sts');
  const client = await clients.get('sts');
  const limits = { abortSignal: signal };
  const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}), limits);
  const clean = (text: string) => redact(text, clients.secrets());
  return { account: Account, arn: clean(Arn), region: clean(client.region) };
}
