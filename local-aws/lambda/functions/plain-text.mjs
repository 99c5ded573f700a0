/** Answers with text that is no JSON, as functions on a custom runtime can. */
export const handler = async () => 'All is well; this is no JSON.';
