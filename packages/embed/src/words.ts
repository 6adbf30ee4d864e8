import english from './languages/en.json';
import chinese from './languages/zh.json';

export type Word = keyof (typeof english)['words'];

/** A language, of the same form as the catalogues of Trestle's pages. What is not in it is said in English. */
export interface Catalogue {
  /** Of the language, in the language. */
  readonly name: string;
  readonly words: Readonly<Partial<Record<Word, string>>>;
}

const catalogues = new Map<string, Catalogue>([
  ['en', english],
  ['zh', chinese],
]);
const MINUTE_MS = 60_000;
const STEPS = [
  ['day', 24 * 60],
  ['hour', 60],
  ['minute', 1],
] as const;

/** Adds a language, or changes what one says. @param tag as in `lang`: `de`, `pt-BR` */
export function addLanguage(tag: string, catalogue: Catalogue): void {
  const known = catalogues.get(tag);
  catalogues.set(tag, { name: catalogue.name, words: { ...known?.words, ...catalogue.words } });
}

/** What an element says, in one language. */
export class Words {
  private readonly words: Catalogue['words'];
  readonly tag: string;

  /** @param wanted as in `lang`; the language of the page, then English, where there is none of it */
  constructor(wanted: string) {
    const [first = ''] = wanted.split('-');
    this.tag = [wanted, first].find((tag) => catalogues.has(tag)) ?? 'en';
    this.words = catalogues.get(this.tag)?.words ?? {};
  }

  say(word: Word, values: Readonly<Record<string, string>> = {}): string {
    const text = this.words[word] ?? english.words[word];
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  }

  /** Of an error: ours, else what Trestle said. */
  fault({ code, detail, nextStep }: { readonly code: string; readonly detail: string; readonly nextStep: string }): string {
    const word = `error.${code}`;
    return word in english.words ? this.say(word as Word) : `${detail} ${nextStep}`;
  }

  number(value: number): string {
    return value.toLocaleString(this.tag);
  }

  /** "in 40 s", "in 3 minutes". */
  until(at: string): string {
    const seconds = Math.ceil((Date.parse(at) - Date.now()) / 1_000);
    if (seconds <= 0) return this.say('now');
    if (seconds < 60) return this.say('inSeconds', { seconds: this.number(seconds) });
    return new Intl.RelativeTimeFormat(this.tag).format(Math.round(seconds / 60), 'minute');
  }

  ago(at: string): string {
    const minutes = Math.floor((Date.now() - Date.parse(at)) / MINUTE_MS);
    const [unit, length] = STEPS.find(([, each]) => minutes >= each) ?? [];
    if (!unit || !length) return this.say('justNow');
    return new Intl.RelativeTimeFormat(this.tag).format(-Math.floor(minutes / length), unit);
  }
}
