import { html, type Html } from '../../http-api';
import type { Provider } from '../../integrations';

const TONES = 6;

/** A provider's sign beside its name. */
export function providerSign({ name }: Pick<Provider, 'key' | 'name'>): Html {
  return monogram(name);
}

/** A provider's sign beside its name, for the eye alone: the first letters of its words, on a ground of its own. */
function monogram(name: string): Html {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => word[0]) : [...(words[0] ?? '?')].slice(0, 2);
  const tone = [...name].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % TONES;
  return html`<span class="monogram tone-${tone}" data-letters="${letters.join('')}" aria-hidden="true"></span>`;
}
