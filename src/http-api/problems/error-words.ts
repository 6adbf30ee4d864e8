import { ERROR_KINDS, type ErrorCode } from '../../errors';
import type { Language, Translations } from '../../languages';

export interface ErrorWords {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly nextStep: string;
}

/**
 * What went wrong, in a person's language: a sentence of its own where it is known there, else what is said of its kind.
 *
 * @param own translations of whoever wrote the sentence
 */
export function errorIn(
  language: Language,
  { code, detail, nextStep }: ErrorWords,
  own?: Translations,
): { title: string; detail: string; nextStep: string } {
  const kind = ERROR_KINDS[code];
  return {
    title: language.text(kind.title),
    detail: language.translated(detail, own) ?? language.text(kind.detail),
    nextStep: language.translated(nextStep, own) ?? language.text(kind.nextStep),
  };
}
