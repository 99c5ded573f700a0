/** Sums up readings: an array of numbers, or `{"values": [...]}`. */
export const handler = async (event) => {
  const values = Array.isArray(event) ? event : event?.values;
  if (!Array.isArray(values) || values.length === 0 || !values.every(Number.isFinite)) {
    throw new TypeError('values must be a list of numbers');
  }
  const sorted = values.toSorted((one, other) => one - other);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const middle = sorted.length / 2;
  return {
    count: values.length,
    minimum: sorted[0],
    maximum: sorted.at(-1),
    mean,
    median: Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)],
    deviation: Math.sqrt(variance)
  };
};
