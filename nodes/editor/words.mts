/**
 * Reads the texts in `locales/`. A node has two files per language: `<node>.json`, and for longer texts `<node>.html` with
 * sections of its help. `common` has the texts that all nodes share.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { HelpWords } from './help.mts';

/** Texts by name, some of them in groups. */
interface Group {
  [name: string]: string | Group;
}

/** All texts of a node, for its form and its help. */
export interface Words {
  label: Record<string, string>;
  /** Shown below a row; a choice may have one for each option. */
  hint: Record<string, string | Record<string, string>>;
  placeholder: Record<string, string>;
  option: Record<string, Record<string, string>>;
  help: HelpWords;
  /** The texts of the help that are the node's own and not shared. */
  own: Partial<HelpWords>;
}

const english = 'en-US';
const locales = new URL('../../locales/', import.meta.url);

function textOf(file: string, folder: URL): string {
  const url = new URL(file, folder);
  return existsSync(url) ? readFileSync(url, 'utf8') : '';
}

/** An element with an id, at the beginning of a line, begins a section: `<h4 id="batches">Batches</h4>`. */
const sectionsIn = (html: string): Group =>
  Object.fromEntries(
    html
      .split(/^(?=<\w+ id=")/m)
      .filter((section) => section.trim() !== '')
      .map((section) => {
        const [, id = ''] = /^<\w+ id="([\w-]+)">/.exec(section) ?? [];
        return [id, section.replace(` id="${id}"`, '').trim()];
      })
  );

/** The texts of a node, or of `common`, in one language. Sections become a group of the help. */
export function writtenIn(language: string, name: string, folder = locales): Group & { help: Group } {
  const file = `${language}/${name}`;
  const words: Group = JSON.parse(textOf(`${file}.json`, folder) || '{}');
  const section = sectionsIn(textOf(`${file}.html`, folder));
  const help = typeof words.help === 'object' ? words.help : {};
  return { ...words, help: { ...help, section } };
}

/** Merges `more` into `base`, group by group. `over` merges two texts. */
function merge(base: Group, more: Group, over: (text: string, base: string) => string): Group {
  const merged = { ...base };
  for (const [name, value] of Object.entries(more)) {
    const below = base[name];
    if (typeof value === 'object') merged[name] = merge(typeof below === 'object' ? below : {}, value, over);
    else merged[name] = over(value, typeof below === 'string' ? below : '');
  }
  return merged;
}

/** Fills each empty `<pre></pre>` with the English example at the same place. */
function withExamples(text: string, original: string): string {
  const examples = original.match(/<pre>.*?<\/pre>/gs) ?? [];
  return text.replaceAll('<pre></pre>', () => examples.shift() ?? '');
}

/** The texts of a language, with English ones where it has none. */
export const translated = (language: string, name: string, folder = locales): Group =>
  merge(writtenIn(english, name, folder), writtenIn(language, name, folder), withExamples);

/** Merges a node's text into the shared one. `__common__`, in sections as a heading, is replaced by the shared text. */
const special = (own: string, common: string): string => own.replace(/<h4>__common__<\/h4>|__common__/, () => common);

/** The texts of a node in a language. `folder` has a folder for each language. */
export function wordsOf(language: string, type: string, folder = locales): Words {
  const own = translated(language, type, folder);
  return { ...merge(translated(language, 'common', folder), own, special), own: own.help } as Words;
}
