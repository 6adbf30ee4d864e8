/** What a destination wants of messages, by their content: the values that are taken at each path, e.g. `{"data.provider": ["acme"]}`. All paths have to agree. */
export type Match = Readonly<Record<string, readonly (string | number | boolean | null)[]>>;

/** Where the message has a list, one of its elements is enough. What it does not have equals nothing but null. */
export function matches(match: Match, message: object): boolean {
  return Object.entries(match).every(([path, taken]) => {
    const value = at(message, path.split('.'));
    return (Array.isArray(value) ? (value as unknown[]) : [value]).some((each) => taken.includes((each ?? null) as null));
  });
}

function at(from: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined,
    from,
  );
}
