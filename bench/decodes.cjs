/** Loaded before anything else, in each thread: counts how often the library is given a picture to decode. */
const { getEnvironmentData, isMainThread, setEnvironmentData } = require('node:worker_threads');
const { Image } = require('canvas');

const key = 'how many pictures were decoded';
if (isMainThread) setEnvironmentData(key, new SharedArrayBuffer(4));
const count = new Int32Array(getEnvironmentData(key));

// Decoding begins with the source; `decode` only waits for it.
const { set, ...source } = Object.getOwnPropertyDescriptor(Image.prototype, 'src');
Object.defineProperty(Image.prototype, 'src', {
  ...source,
  set(bytes) {
    Atomics.add(count, 0, 1);
    set.call(this, bytes);
  }
});

exports.decodes = () => Atomics.load(count, 0);
