import { Baseline1764000000000 } from './1764000000000-baseline';

/** The core's, in the order in which they are applied. One that has landed is never edited: add another. A product's own come beside them. */
export const MIGRATIONS = [Baseline1764000000000];
