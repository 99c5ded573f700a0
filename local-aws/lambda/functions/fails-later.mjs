/** A promise that nobody waits for is rejected: the runtime ends, and the next call starts a new one. */
export const handler = async () => {
  // biome-ignore lint/nursery/noFloatingPromises: it is what this function is for
  Promise.reject(new RangeError('forgotten'));
  await new Promise((resolve) => setTimeout(resolve, 60_000));
};
