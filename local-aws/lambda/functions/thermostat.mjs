/** Decides on heating: `{"temperature": 18.5, "target": 21}`, both in °C, with half a degree of hysteresis. */
export const handler = async ({ temperature, target = 20, heating = false, room = 'the room' }) => {
  if (typeof temperature !== 'number') throw new TypeError('temperature must be a number of degrees');
  const difference = target - temperature;
  const on = difference > 0.5 || (heating && difference > 0);
  console.log(`${room}: ${temperature} °C, target ${target} °C`);
  return {
    room,
    heating: on,
    power: on ? Math.min(100, Math.round(difference * 40)) : 0,
    message: on ? `Heating ${room} to ${target} °C` : `${room} is warm enough`
  };
};
