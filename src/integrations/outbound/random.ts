/** Injected so that a seed reproduces a run: a number in [0, 1). */
export type Random = () => number;

export const RANDOM = Symbol('Random');
