/** Logs much more than the 4 KB that a log tail holds: `{"lines": 200}`. */
export const handler = async ({ lines = 200 } = {}) => {
  for (let number = 1; number <= lines; number += 1)
    console.log(`Line ${number} of ${lines}: all is well at the plant`);
  console.warn('That was a lot');
  return { lines };
};
