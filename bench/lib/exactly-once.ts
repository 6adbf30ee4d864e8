/** How a list of event ids differs from what it should be. */
export interface Difference {
  readonly lost: number;
  readonly twice: number;
  /** Ids that nobody sent. */
  readonly strange: number;
}

/** Compares as sets, and counts what is there more than once. */
export function compareIds(expected: Iterable<string>, found: readonly string[]): Difference {
  const wanted = new Set(expected);
  const seen = new Set(found);
  const strange = [...seen].filter((id) => !wanted.has(id)).length;
  return { lost: [...wanted].filter((id) => !seen.has(id)).length, twice: found.length - seen.size, strange };
}

export function isExact({ lost, twice, strange }: Difference): boolean {
  return lost === 0 && twice === 0 && strange === 0;
}

export function described({ lost, twice, strange }: Difference, of: number): string {
  return `${lost} lost, ${twice} twice, ${strange} strange of ${of}`;
}
