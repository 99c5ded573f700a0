let calls = 0;

/** How often this instance was called: a warm instance keeps what is outside the handler. */
export const handler = async () => {
  calls += 1;
  return { calls };
};
