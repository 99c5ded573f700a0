/**
 * The options of a client for its endpoint. Without one it uses AWS's own; the SDK would look for one in other
 * profiles.
 */
export const endpointOptions = (endpoint: string | undefined) =>
  endpoint ? { endpoint: withoutSlash(endpoint) } : { ignoreConfiguredEndpointUrls: true };

/** The SDK appends paths that begin with a slash. */
function withoutSlash(url: string): string {
  let { length } = url;
  while (url[length - 1] === '/') length -= 1;
  return url.slice(0, length);
}
