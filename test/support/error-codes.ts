import { ERROR_KINDS } from '../../src/errors';

export const isErrorCode = (code: string): boolean => Object.hasOwn(ERROR_KINDS, code);
