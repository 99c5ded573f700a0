/** The environment that the SDK's own sign-in reads: variables, shared files and the cache of SSO tokens. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The sections of an ini file. */
export type Sections = Record<string, Record<string, string>>;

export interface Environment {
  set(variables: Record<string, string>): void;
  /** Writes the shared config file, `[profile x]` for each but `default`, `sso-session x` and `services x`. */
  config(sections: Sections): void;
  /** Writes the shared credentials file. */
  credentials(sections: Sections): void;
  /** Writes a file into the test's own folder and gives its path. */
  file(name: string, text: string): string;
  /** The text of a file in the test's own folder. */
  read(name: string): string;
  /** Writes what `aws sso login` leaves for a start URL or the name of an SSO session. */
  ssoToken(key: string, token: Record<string, string>): void;
}

const ini = (sections: Sections): string =>
  Object.entries(sections)
    .map(([name, values]) => [`[${name}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${value}`)])
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');

const sectionName = (name: string): string =>
  name === 'default' || /^(sso-session|services) /.test(name) ? name : `profile ${name}`;

/**
 * Gives each test a home folder of its own and no AWS variables but these: shared files that are empty at first, and
 * no question to the metadata service of EC2. All is as before once the test has ended.
 */
export function useEnvironment(): Environment {
  const before = { ...process.env };
  let folder = '';

  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
    return path;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nimbus-home-'));
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, {
      HOME: folder,
      AWS_CONFIG_FILE: write('config', ''),
      AWS_SHARED_CREDENTIALS_FILE: write('credentials', ''),
      AWS_EC2_METADATA_DISABLED: 'true'
    });
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    set: (variables) => void Object.assign(process.env, variables),
    config: (sections) =>
      void write(
        'config',
        ini(Object.fromEntries(Object.entries(sections).map(([name, values]) => [sectionName(name), values])))
      ),
    credentials: (sections) => void write('credentials', ini(sections)),
    file: write,
    read: (name) => readFileSync(join(folder, name), 'utf8'),
    ssoToken: (key, token) =>
      void write(`.aws/sso/cache/${createHash('sha1').update(key).digest('hex')}.json`, JSON.stringify(token))
  };
}
