/** Greets: `{"name": "Ada"}` gives `{"greeting": "Hello, Ada!"}`. */
export const handler = async ({ name = 'world' } = {}) => {
  console.log(`Greeting ${name}`);
  return { greeting: `Hello, ${name}!` };
};
