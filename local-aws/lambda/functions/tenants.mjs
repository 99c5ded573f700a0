let calls = 0;

/** Counts the calls of each tenant: none shares an instance with another one. */
export const handler = async (_event, { tenantId }) => {
  calls += 1;
  return { tenantId, calls };
};
