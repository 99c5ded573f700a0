import { randomBytes } from 'node:crypto';
import type { Policy } from './policies';

/** Long-term keys of a user. They are made up and valid for this local server only. */
interface SignIn {
  /** The user's name, last part of its ARN. */
  readonly name: string;
  readonly account: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly userId: string;
  readonly arn: string;
  /** Whether its policy allows everything, or only `GetCallerIdentity`. */
  readonly allows: 'everything' | 'nothing';
}

/** A role and who may assume it. */
export interface Role {
  readonly arn: string;
  readonly account: string;
  readonly name: string;
  readonly roleId: string;
  /** Account numbers whose users may assume it. */
  readonly trusts: readonly string[];
  /** Services that may assume it for a device. */
  readonly services?: readonly string[];
  readonly externalId?: string;
  /** Longest session in seconds. */
  readonly maxSessionDuration: number;
}

/** Who signed a request. */
export interface Principal {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Also a policy, which tests set. */
  readonly allows: SignIn['allows'] | Policy;
  readonly sessionToken?: string;
  /** Milliseconds since the epoch, of temporary credentials. */
  readonly expires?: number;
}

function user(name: string, account: string, mark: string, allows: SignIn['allows']): SignIn {
  return {
    name,
    account,
    accessKeyId: `AKIALOCAL${mark}`.padEnd(20, '0'),
    secretAccessKey: `local/${name}/not-a-real-secret`.padEnd(40, '0'),
    userId: `AIDALOCAL${mark}`.padEnd(21, '0'),
    arn: `arn:aws:iam::${account}:user/${name}`,
    allows
  };
}

/** The users of the local AWS: one in each of two accounts, and one in the first account without any rights. */
export const signIns = {
  demo: user('demo', '111111111111', 'DEMO', 'everything'),
  second: user('second', '222222222222', 'SECOND', 'everything'),
  limited: user('limited', '111111111111', 'LIMITED', 'nothing')
} as const satisfies Record<string, SignIn>;

function role(account: string, name: string, rest: Partial<Role>): Role {
  const roleId = `AROALOCAL${name.replaceAll('-', '').toUpperCase()}`.padEnd(21, '0').slice(0, 21);
  return {
    arn: `arn:aws:iam::${account}:role/${name}`,
    account,
    name,
    roleId,
    trusts: [account],
    maxSessionDuration: 43_200,
    ...rest
  };
}

/**
 * The roles of the local AWS: `demo` for the users of the first account, `external` with an External ID, and `guest` in the
 * second account, which trusts the first one and allows sessions of an hour at most; `device` for certificates.
 */
export const roles = {
  demo: role('111111111111', 'nimbus-demo', {}),
  external: role('111111111111', 'nimbus-external', {
    trusts: ['111111111111', '222222222222'],
    externalId: 'nimbus-external-id'
  }),
  guest: role('222222222222', 'nimbus-guest', { trusts: ['111111111111'], maxSessionDuration: 3600 }),
  device: role('111111111111', 'nimbus-device', {
    trusts: [],
    services: ['credentials.iot.amazonaws.com', 'rolesanywhere.amazonaws.com']
  })
} as const satisfies Record<string, Role>;

/** The role of a function, by which it calls other services. */
export const functionRole = (account: string, name: string): Role => role(account, `lambda-${name}`, { trusts: [] });

const users = new Map<string, Principal>(Object.values(signIns).map((signIn) => [signIn.accessKeyId, signIn]));
const rolesByArn = new Map<string, Role>(Object.values(roles).map((each) => [each.arn, each]));

/** Finds a role by its ARN. */
export function findRole(arn: string): Role | undefined {
  return rolesByArn.get(arn);
}

/** The sessions that `AssumeRole` has started, and the users, by access key ID. */
export class Principals {
  readonly #sessions = new Map<string, Principal>();

  /** The principal with this access key, even if it has expired. */
  find(accessKeyId: string): Principal | undefined {
    return users.get(accessKeyId) ?? this.#sessions.get(accessKeyId);
  }

  /** Creates temporary credentials of a role that are valid until `expires`, ms since the epoch. */
  startSession(assumed: Role, sessionName: string, expires: number): Principal {
    const session: Principal = {
      account: assumed.account,
      arn: `arn:aws:sts::${assumed.account}:assumed-role/${assumed.name}/${sessionName}`,
      userId: `${assumed.roleId}:${sessionName}`,
      accessKeyId: `ASIA${letters(16)}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: `LocalSession//${randomBytes(180).toString('base64')}`,
      expires,
      allows: 'everything'
    };
    this.#sessions.set(session.accessKeyId, session);
    return session;
  }
}

function letters(count: number): string {
  return Array.from(randomBytes(count), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('');
}
