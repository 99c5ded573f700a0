export const handler = async () => [3, 'two', { one: 1 }, null];
