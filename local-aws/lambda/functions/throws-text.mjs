/** Throws something that is no Error. */
export const handler = async () => {
  throw 'out of paper';
};
