import { OWN_CATALOGUES, type Catalogue } from './catalogue';
import { Language } from './language';

/** Those that come with Trestle, with what an operator's files change and add; English first. */
export function languagesOf(files: Readonly<Record<string, Catalogue>>): readonly Language[] {
  const tags = new Set([...Object.keys(OWN_CATALOGUES), ...Object.keys(files)]);
  return [...tags].map((tag) => {
    const [own, file] = [OWN_CATALOGUES[tag], files[tag]];
    return new Language(tag, {
      name: file?.name ?? own?.name ?? tag,
      words: { ...own?.words, ...file?.words },
      texts: { ...own?.texts, ...file?.texts },
    });
  });
}

/** The one that a tag means: the very one, else one of the same first part (`zh-CN`: `zh`). */
export function languageFor(tag: string, languages: readonly Language[]): Language | undefined {
  const wanted = tag.toLowerCase();
  const firstPart = (text: string) => text.toLowerCase().split('-')[0];
  return (
    languages.find((language) => language.tag.toLowerCase() === wanted) ??
    languages.find((language) => language.tag.toLowerCase() === firstPart(wanted)) ??
    languages.find((language) => firstPart(language.tag) === firstPart(wanted))
  );
}

/** Of an `Accept-Language` (https://www.rfc-editor.org/rfc/rfc9110#field.accept-language): the first wanted that there is. */
export function acceptedLanguage(header: string | undefined, languages: readonly Language[]): Language | undefined {
  const wanted = (header ?? '')
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((text) => text.trim());
      const weight = parameters.find((parameter) => parameter.startsWith('q='));
      return { tag, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
    })
    .filter(({ tag, weight }) => /^[a-z-0-9]+$/i.test(tag) && weight > 0)
    .sort((a, b) => b.weight - a.weight);
  for (const { tag } of wanted) {
    const found = languageFor(tag, languages);
    if (found) return found;
  }
  return undefined;
}
