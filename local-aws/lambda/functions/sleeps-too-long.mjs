/** Is stopped after its timeout of one second. */
export const handler = async () => {
  console.log('Good night');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
};
