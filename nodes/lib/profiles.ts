import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The section that a line begins, as the SDK reads it: a broken line must not take along what follows. */
function sectionOf(line: string): string | undefined {
  const [text = ''] = line.split(/(?:^|\s)[;#]/);
  return /^\[([^\]\r]+)\]$/.exec(text.trim())?.[1]?.trim();
}

/** Names of the sections of a shared file; those of `config` are called `profile x`, except the default one. */
async function sectionsOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split(/\r?\n/)
    .map(sectionOf)
    .filter((name) => name !== undefined);
}

/** The profiles of the shared files of the machine that Node-RED runs on, by name; nothing else in them leaves it. */
export async function profileNames(): Promise<string[]> {
  const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = process.env;
  const file = (name: string) => join(homedir(), '.aws', name);
  const [config, credentials] = await Promise.all([
    sectionsOf(AWS_CONFIG_FILE || file('config')),
    sectionsOf(AWS_SHARED_CREDENTIALS_FILE || file('credentials'))
  ]);
  const named = config
    .map((section) => (section === 'default' ? section : /^profile\s+["']?(.+?)["']?$/.exec(section)?.[1]))
    .filter((name) => name !== undefined);
  return [...new Set([...named, ...credentials])].sort();
}
