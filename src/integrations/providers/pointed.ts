/** RFC 6901. */
export function pointed(json: unknown, pointer: string): unknown {
  let value = json;
  for (const raw of pointer.split('/').slice(1)) {
    value = ownProperty(value, raw.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (value === undefined) return undefined;
  }
  return value;
}

/** What an object says itself, and not by its prototype. */
export function ownProperty(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null && Object.hasOwn(object, name)
    ? (object as Record<string, unknown>)[name]
    : undefined;
}
