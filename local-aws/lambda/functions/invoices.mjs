/** Belongs to the second account only. */
export const handler = async ({ net = 0, rate = 19 } = {}) => ({
  net,
  tax: (net * rate) / 100,
  gross: net * (1 + rate / 100)
});
