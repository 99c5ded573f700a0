export { handler } from './approve.mjs';
