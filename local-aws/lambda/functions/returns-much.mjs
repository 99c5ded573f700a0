/** Answers with a string that long: `{"bytes": 1000}`, the two quotes not counted. */
export const handler = async ({ bytes = 7_000_000 } = {}) => 'x'.repeat(bytes);
