/** The first version was less friendly. */
export const handler = async ({ name = 'world' } = {}) => ({ greeting: `Good day, ${name}.` });
