import { Baseline1764000000000 } from './1764000000000-baseline';
import { ConnectFields1764400000000 } from './1764400000000-connect-fields';

/** The core's, in the order in which they are applied. One that has landed is never edited: add another. A product's own come beside them. */
export const MIGRATIONS = [Baseline1764000000000, ConnectFields1764400000000];
