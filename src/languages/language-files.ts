import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ENGLISH_WORDS, placeholdersOf, type Catalogue, type Word } from './catalogue';

const texts = z.record(z.string(), z.string());
const catalogue = z.strictObject({ name: z.string().min(1).max(60), words: texts.default({}), texts: texts.optional() });
const FILE = /^([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.json$/;

/** The languages of a folder, a file each: `de.json`, by tag. What is wrong with one is added to `faults`, a sentence each. */
export function readLanguageFiles(folder: string | undefined, faults: string[]): Record<string, Catalogue> {
  if (folder === undefined) return {};
  const fault = (sentence: string) => void faults.push(`LANGUAGES_DIR: ${sentence}`);
  const found: Record<string, Catalogue> = {};
  for (const name of namesIn(folder, fault)) {
    const tag = FILE.exec(name)?.[1];
    if (tag === undefined) {
      fault(`"${name}" is not named after a language, like de.json or pt-BR.json`);
      continue;
    }
    const file = catalogue.safeParse(contentOf(join(folder, name)));
    if (!file.success) fault(`${name} is not of the form {"name": "...", "words": {...}, "texts": {...}}`);
    else {
      for (const sentence of misfits(file.data)) fault(`${name}: ${sentence}`);
      found[tag] = file.data;
    }
  }
  return found;
}

function namesIn(folder: string, fault: (sentence: string) => void): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    fault('there is no such folder, or it cannot be read');
    return [];
  }
}

function contentOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A word that is not known may be one of before, and is left out; one that does not say what is to be filled in would tell people half. */
function misfits({ words }: Catalogue): string[] {
  return Object.entries(words).flatMap(([word, text]) => {
    if (!Object.hasOwn(ENGLISH_WORDS, word)) return [];
    const wanted = placeholdersOf(ENGLISH_WORDS[word as Word]);
    const isSame = wanted.join() === placeholdersOf(text).join();
    return isSame ? [] : [`"${word}" has to hold ${wanted.map((name) => `{${name}}`).join(', ') || 'nothing in braces'}`];
  });
}
