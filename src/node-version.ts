/** What `engines` of package.json asks for; a test compares them. */
export const OLDEST_NODE = '20.19';

/** A sentence where this Node is too old to run the service; undefined where it is not. */
export function nodeFault(version = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [least = 0, leastMinor = 0] = OLDEST_NODE.split('.').map(Number);
  const old = major < least || (major === least && minor < leastMinor);
  return old ? `Node ${OLDEST_NODE} or newer is needed; this is ${version}.` : undefined;
}
