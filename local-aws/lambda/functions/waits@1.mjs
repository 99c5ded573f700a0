export { handler } from './waits.mjs';
