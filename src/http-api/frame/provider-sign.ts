import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { html, type Html } from '../html';

/** Made of the packages by `test/provider-icons.spec.ts`; the pages serve it as `/ui/icons.svg`. */
export const PROVIDER_ICONS = readFileSync(join(__dirname, 'assets', 'icons.svg'));
const WITH_ICON = new Set([...PROVIDER_ICONS.toString('utf8').matchAll(/<symbol id="([^"]+)"/g)].map(([, key]) => key));
const TONES = 6;

/** A provider's sign beside its name, for the eye alone: its icon, else a monogram. */
export function providerSign({ key, name }: { readonly key: string; readonly name: string }): Html {
  if (!WITH_ICON.has(key)) return monogram(name);
  return html`<svg class="sign" width="32" height="32" aria-hidden="true"><use href="/ui/icons.svg#${key}" /></svg>`;
}

/** The first letters of its words, on a ground of its own. */
function monogram(name: string): Html {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => word[0]) : [...(words[0] ?? '?')].slice(0, 2);
  const tone = [...name].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % TONES;
  return html`<span class="sign monogram tone-${tone}" data-letters="${letters.join('')}" aria-hidden="true"></span>`;
}
