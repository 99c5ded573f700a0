/** Texts from outside, safe to show in a log, a status and the debug sidebar. */

/** Most characters of an error's text; a function may fail with a text of megabytes. */
export const longestText = 1000;

/** Whether a text has nothing but visible characters of ASCII, as the ID of each request: that is known soonest. */
const isHarmless = (text: string): boolean => /^[!-~]*$/.test(text);

/**
 * A text from outside as one line, safe to show in a log, a status and the debug sidebar: without control characters, which
 * could clear a console or forge a log entry, and without those that change the direction of text.
 */
export const inOneLine = (text: string): string =>
  isHarmless(text)
    ? text
    : text
        .replace(/\p{Bidi_Control}+/gu, '')
        .replace(/[\s\p{Cc}]+/gu, ' ')
        .trim();

/** The same for a member of an error, whose lines are kept. */
export const inLines = (text: string): string => text.replace(/\p{Bidi_Control}+|[^\P{Cc}\t\n\r]+/gu, '');

/**
 * A text of several lines as one log entry: the further lines are marked, so that none looks like an entry of its own.
 */
export const asLogEntry = (text: string): string =>
  text
    .split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)
    .map(inOneLine)
    .filter((line) => line !== '')
    .join('\n  | ');

/** The first line of a text. */
export function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? text : text.slice(0, end);
}

/** At most `longestText` characters of a text, in one line. */
export function shortLine(text: string): string {
  const line = inOneLine(text.slice(0, 2 * longestText));
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line;
}
