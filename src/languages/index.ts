/** What people read: the catalogues of words (plain JSON, a file a language), and how a page says them. */
export { ENGLISH_WORDS, OWN_CATALOGUES, placeholdersOf, type Catalogue, type Word } from './catalogue';
export { acceptedLanguage, languageFor, languagesOf } from './choose-language';
export { readLanguageFiles } from './language-files';
export { ENGLISH, Language, type Translations } from './language';
