import { bindingOf } from '../connections';

export const CHECK_BINDING = bindingOf('key-check');

/** As versions wrote it that did not seal connections: rows without a seal are theirs, until all have one. */
const BEFORE_SEALS = 'trestle key check';
const SEALED = /^trestle key check, sealed from (\S+)$/;

/**
 * The known text that a key's check value holds. That it also tells since when every connection is sealed keeps this from whoever writes the
 * database: they cannot make the text of before, and without a check value nothing unsealed is taken. @param from ms
 */
export function checkText(from: number): string {
  return `${BEFORE_SEALS}, sealed from ${new Date(from).toISOString()}`;
}

/** @returns until when connections without a seal are taken, ms; undefined for a text that is none of ours */
export function unsealedUntil(text: string): number | undefined {
  if (text === BEFORE_SEALS) return Infinity;
  const from = Date.parse(SEALED.exec(text)?.[1] ?? '');
  return Number.isNaN(from) ? undefined : from;
}
