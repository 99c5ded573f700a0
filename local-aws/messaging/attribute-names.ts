/**
 * Why the name of a message attribute is not valid, in the words of SNS and SQS; `undefined` if it is. Their guides list the
 * reserved names.
 */
export function wrongAttributeName(name: string): string | undefined {
  const wrong = /[^\w.-]/u.exec(name);
  if (name.length > 256) return 'Length of message attribute name must be less than 256 bytes.';
  if (wrong) {
    const code = wrong[0].codePointAt(0)?.toString(16).toUpperCase();
    const allowed = 'Can only include alphanumeric characters, hyphens, underscores, or dots.';
    return `Invalid non-alphanumeric character '#x${code}' was found in the message attribute name. ${allowed}`;
  }
  if (name.startsWith('.')) return "Invalid message attribute name starting with character '.' was found.";
  if (name.endsWith('.')) return "Invalid message attribute name ending with character '.' was found.";
  if (name.includes('..')) return "Message attribute name can not have successive '.' character.";
  if (/^(aws|amazon)\./i.test(name)) {
    return "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.";
  }
  return undefined;
}
