/** What several runs come to. */
const sorted = (values) => [...values].sort((a, b) => a - b);

export const median = (values) => sorted(values)[Math.floor(values.length / 2)];

/** The median, with the least and the most. */
export function spread(values, digits = 2) {
  const all = sorted(values);
  const [low, middle, high] = [all[0], median(all), all.at(-1)].map((value) => value.toFixed(digits));
  return `${middle} (${low}-${high})`;
}
