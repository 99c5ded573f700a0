class SensorOffline extends Error {
  name = 'SensorOffline';
}

/** Always throws: `{"sensor": "cellar"}`. */
export const handler = async ({ sensor = 'porch' } = {}) => {
  console.log(`Asking ${sensor}`);
  throw new SensorOffline(`The sensor ${sensor} does not answer`);
};
