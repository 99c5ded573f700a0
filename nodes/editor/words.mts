/**
 * Reads what people wrote in `locales/`. A node has two files in a language, `<node>.json` and, where it has something
 * to say at length, `<node>.html` with sections for its help; `common` has what all nodes share.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { HelpWords } from './help.mts';

/** Words by their names, some in groups. */
interface Group {
  [name: string]: string | Group;
}

/** All words of a node: what its form shows, and what its help is made of. */
export interface Words {
  label: Record<string, string>;
  /** Under a row; a choice may have one for each option. */
  hint: Record<string, string | Record<string, string>>;
  placeholder: Record<string, string>;
  option: Record<string, Record<string, string>>;
  help: HelpWords;
  /** What of the help is the node's own: the others share the rest. */
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

/** What one language says of a node, or of `common`: sections are a group of the help. */
export function writtenIn(language: string, name: string, folder = locales): Group & { help: Group } {
  const file = `${language}/${name}`;
  const words = JSON.parse(textOf(`${file}.json`, folder) || '{}') as Group;
  const section = sectionsIn(textOf(`${file}.html`, folder));
  return { ...words, help: { ...(words.help as Group), section } };
}

/** `more` over `base`, group by group. `over` makes one text of two. */
function merge(base: Group, more: Group, over: (text: string, base: string) => string): Group {
  const merged = { ...base };
  for (const [name, value] of Object.entries(more)) {
    const below = base[name];
    if (typeof value === 'object') merged[name] = merge(typeof below === 'object' ? below : {}, value, over);
    else merged[name] = over(value, typeof below === 'string' ? below : '');
  }
  return merged;
}

/** Examples are the same in every language: an empty `<pre></pre>` is the English one at its place. */
function withExamples(text: string, original: string): string {
  const examples = original.match(/<pre>.*?<\/pre>/gs) ?? [];
  return text.replaceAll('<pre></pre>', () => examples.shift() ?? '');
}

/** What a language says, in English where it says nothing. */
const translated = (language: string, name: string, folder: URL): Group =>
  merge(writtenIn(english, name, folder), writtenIn(language, name, folder), withExamples);

/** A node's own words go over those of all nodes; `__common__`, as a heading in sections, stands for the text below. */
const special = (own: string, common: string): string => own.replace(/<h4>__common__<\/h4>|__common__/, () => common);

/** The words of a node in a language, and of these its help's own. `folder` has one for each language. */
export function wordsOf(language: string, type: string, folder = locales): Words {
  const own = translated(language, type, folder);
  return { ...merge(translated(language, 'common', folder), own, special), own: own.help } as Words;
}
