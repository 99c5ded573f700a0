export const handler = async () => 42;
