export const handler = async ({ name = 'world' } = {}) => ({ greeting: `Hi, ${name}!` });
