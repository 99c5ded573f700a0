/** Keeps its thread busy until its timeout of one second. */
export const handler = () => {
  for (;;) Math.random();
};
