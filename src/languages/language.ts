import { ENGLISH_WORDS, OWN_CATALOGUES, type Catalogue, type Word } from './catalogue';

const RIGHT_TO_LEFT = new Set(['ar', 'dv', 'fa', 'he', 'ps', 'ur', 'yi']);
const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** What people read, in one language: words of the pages, sentences that are declared elsewhere, numbers and times. */
export class Language {
  readonly name: string;
  readonly direction: 'ltr' | 'rtl';
  private readonly numbers: Intl.NumberFormat;
  private readonly times: Intl.RelativeTimeFormat;

  constructor(
    /** BCP 47, as it stands in `lang`. */
    readonly tag: string,
    private readonly catalogue: Catalogue,
  ) {
    this.name = catalogue.name;
    this.direction = RIGHT_TO_LEFT.has(tag.split('-')[0] ?? '') ? 'rtl' : 'ltr';
    this.numbers = new Intl.NumberFormat(tag);
    this.times = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' });
  }

  /** @param values by the names in braces; numbers are written as the language does */
  say(word: Word, values: Readonly<Record<string, string | number>> = {}): string {
    return this.parts(word, values).join('');
  }

  /** The same in pieces, for what is filled in and is more than text. */
  parts<Value>(word: Word, values: Readonly<Record<string, Value>>): (string | Value)[] {
    const text = this.catalogue.words[word] ?? ENGLISH_WORDS[word];
    return text.split(/\{(\w+)\}/).map((piece, index) => {
      if (index % 2 === 0) return piece;
      const value = values[piece];
      return typeof value === 'number' ? this.number(value) : (value ?? '');
    });
  }

  /** A sentence that was written in English, where it is known here; else as it is. @param own translations of whoever wrote it */
  text(english: string, own?: Translations): string {
    return this.translated(english, own) ?? english;
  }

  /** undefined: it is not known here. English knows all. */
  translated(english: string, own?: Translations): string | undefined {
    const found = (texts: Readonly<Record<string, string>> | undefined) =>
      texts !== undefined && Object.hasOwn(texts, english) ? texts[english] : undefined;
    const isEnglish = this.tag.split('-')[0] === 'en';
    return (
      found(this.catalogue.texts) ??
      found(own?.[this.tag]) ??
      found(own?.[this.tag.split('-')[0] ?? '']) ??
      (isEnglish ? english : undefined)
    );
  }

  number(value: number): string {
    return this.numbers.format(value);
  }

  /** "3 minutes ago", "in 2 hours"; "just now" within a minute, clocks that differ a little included. */
  relativeTime(at: Date, nowMs: number): string {
    const seconds = Math.round((nowMs - at.getTime()) / 1000);
    for (const [unit, size] of STEPS) {
      if (Math.abs(seconds) >= size) return this.times.format(-Math.trunc(seconds / size), unit);
    }
    return this.say('time.justNow');
  }

  /** "in 40 s", "in 3 minutes"; "now" when it is due. */
  timeUntil(at: Date, nowMs: number): string {
    const seconds = Math.ceil((at.getTime() - nowMs) / 1000);
    if (seconds <= 0) return this.say('time.now');
    return seconds < 60 ? this.say('time.inSeconds', { seconds }) : this.relativeTime(at, nowMs);
  }
}

/** By the tag of a language and the English sentence. */
export type Translations = Readonly<Record<string, Readonly<Record<string, string>>>>;

export const ENGLISH = new Language('en', OWN_CATALOGUES['en'] as Catalogue);
