import english from './en.json';
import chinese from './zh.json';

/** What a page says, by its name. `{name}` in a text stands for what the page fills in. */
export type Word = keyof typeof english.words;

/** A language, as a file holds it. What is not in it is said in English. */
export interface Catalogue {
  /** Of the language, in the language. */
  readonly name: string;
  readonly words: Readonly<Record<string, string>>;
  /** By the English sentence: what is declared elsewhere, of errors and providers. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** Those that come with Trestle, by tag (BCP 47). */
export const OWN_CATALOGUES: Readonly<Record<string, Catalogue>> = { en: english, zh: chinese };

export const ENGLISH_WORDS: Readonly<Record<Word, string>> = english.words;

/** The names that stand in braces. */
export function placeholdersOf(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();
}
