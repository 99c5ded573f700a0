/** Takes as long as it is told: `{"ms": 500}`. */
export const handler = async ({ ms = 1000 } = {}) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return { waited: ms };
};
