/** Lives in eu-central-1 only: `{"humidity": 35}` in percent. */
export const handler = async ({ humidity = 50 } = {}) => ({ water: humidity < 40, humidity });
