import { ERROR_KINDS, type ErrorCode } from '../../errors';
import type { Language } from '../../languages';

export interface ErrorWords {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly nextStep: string;
}

/** What went wrong, in a person's language: a sentence of its own where it is known there, else what is said of its kind. */
export function errorIn(language: Language, { code, detail, nextStep }: ErrorWords): { title: string; detail: string; nextStep: string } {
  const kind = ERROR_KINDS[code];
  return {
    title: language.text(kind.title),
    detail: language.translated(detail) ?? language.text(kind.detail),
    nextStep: language.translated(nextStep) ?? language.text(kind.nextStep),
  };
}
