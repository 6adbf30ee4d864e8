import type { Logger } from 'pino';

/** Injection token of the process's pino logger. */
export const EDGE_LOGGER = Symbol('EdgeLogger');
export type EdgeLogger = Logger;
