import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { numbered } from '../server/population';

/** The settings of a function in `functions.json` beside the handlers. */
interface FunctionSettings {
  readonly description?: string;
  /** Seconds, default 3. */
  readonly timeout?: number;
  /** MB, default 128. */
  readonly memory?: number;
  /** Default us-east-1 and eu-west-1. */
  readonly regions?: readonly string[];
  /** Default 111111111111. */
  readonly accounts?: readonly string[];
  /** Alias to version. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Whether the string that the handler returns is the answer itself, as from a custom runtime. */
  readonly raw?: boolean;
  /** A durable function, whose execution may take so many seconds. */
  readonly durable?: number;
  /** Each tenant gets threads of its own. */
  readonly tenants?: boolean;
}

/** The code of one version of a function. */
export interface FunctionVersion {
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly modified: Date;
}

/** A function with all its versions. */
export interface LambdaFunction {
  readonly name: string;
  readonly description: string;
  readonly timeout: number;
  readonly memory: number;
  readonly regions: readonly string[];
  readonly accounts: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
  readonly raw: boolean;
  readonly durable: number | undefined;
  readonly tenants: boolean;
  /** By version. */
  readonly versions: ReadonlyMap<string, FunctionVersion>;
}

/** Functions to add. `versions` and `aliases` are their numbers for each function. */
interface AddedFunctions {
  readonly names: readonly string[];
  readonly account: string;
  readonly region: string;
  readonly versions?: number;
  readonly aliases?: number;
}

/** The folder of the local AWS's own handlers. */
export const ownFunctions = path.join(__dirname, 'functions');

/**
 * The functions of some folders: `name.mjs` is the code of `$LATEST`, `name@1.mjs` that of version 1, and `functions.json` has
 * their settings. A function in a later folder replaces one of the same name.
 */
export class Functions {
  readonly #byName = new Map<string, LambdaFunction>();
  readonly #added = new Set<string>();

  constructor(folders: readonly string[]) {
    for (const folder of folders) {
      for (const each of readFolder(folder)) this.#byName.set(each.name, each);
    }
  }

  /** A function, if it lives in that account and region. */
  find(account: string, region: string, name: string): LambdaFunction | undefined {
    const found = this.#byName.get(name);
    return found?.accounts.includes(account) && found.regions.includes(region) ? found : undefined;
  }

  /** All functions of an account in a region, by name. */
  list(account: string, region: string): LambdaFunction[] {
    return [...this.#byName.values()]
      .filter((each) => each.accounts.includes(account) && each.regions.includes(region))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Adds functions with the code of `echo`, for long lists. The functions of the folders do not change. */
  addMany({ names, account, region, versions = 0, aliases = 0 }: AddedFunctions): void {
    const echo = this.#byName.get('echo');
    const latest = echo?.versions.get('$LATEST');
    if (!echo || !latest) throw new Error('echo is missing');
    const all = ['$LATEST', ...Array.from({ length: versions }, (_, index) => String(index + 1))];
    // The same for all of them, since nothing ever changes them.
    const shared = {
      description: '',
      accounts: [account],
      regions: [region],
      versions: new Map(all.map((version) => [version, { ...latest, version }])),
      aliases: Object.fromEntries(
        numbered('alias', aliases).map((alias, index) => [alias, all[Math.min(index + 1, versions)] ?? '$LATEST'])
      )
    };
    for (const name of names) {
      if (this.#byName.has(name) && !this.#added.has(name)) continue;
      this.#byName.set(name, { ...echo, ...shared, name });
      this.#added.add(name);
    }
  }

  /** Removes what `addMany` has added. */
  removeAdded(): void {
    for (const name of this.#added) this.#byName.delete(name);
    this.#added.clear();
  }
}

function readFolder(folder: string): LambdaFunction[] {
  const settingsFile = path.join(folder, 'functions.json');
  const settings = existsSync(settingsFile)
    ? (JSON.parse(readFileSync(settingsFile, 'utf8')) as Record<string, FunctionSettings>)
    : {};
  const versions = new Map<string, Map<string, FunctionVersion>>();
  for (const file of readdirSync(folder)) {
    const parts = /^([\w-]+)(?:@(\d+))?\.mjs$/.exec(file);
    if (!parts?.[1]) continue;
    const ofName = versions.get(parts[1]) ?? new Map<string, FunctionVersion>();
    versions.set(parts[1], ofName.set(parts[2] ?? '$LATEST', readVersion(path.join(folder, file), parts[2])));
  }
  return [...versions].map(([name, found]) => describe(name, found, settings[name] ?? {}));
}

function readVersion(file: string, version: string | undefined): FunctionVersion {
  const code = readFileSync(file);
  return {
    version: version ?? '$LATEST',
    file,
    bytes: code.length,
    sha256: createHash('sha256').update(code).digest('base64'),
    modified: statSync(file).mtime
  };
}

function describe(
  name: string,
  found: ReadonlyMap<string, FunctionVersion>,
  settings: FunctionSettings
): LambdaFunction {
  const { description = '', timeout = 3, memory = 128, aliases = {}, raw = false, durable, tenants = false } = settings;
  const { regions = ['us-east-1', 'eu-west-1'], accounts = ['111111111111'] } = settings;
  const versions = new Map([...found].sort(([one], [other]) => order(one) - order(other)));
  for (const version of ['$LATEST', ...Object.values(aliases)]) {
    if (!versions.has(version)) throw new Error(`The function ${name} has no version ${version}`);
  }
  return { name, description, timeout, memory, regions, accounts, aliases, raw, durable, tenants, versions };
}

function order(version: string): number {
  return version === '$LATEST' ? 0 : Number(version);
}
