import { addLanguage, setUp } from './elements/index.ts';
import { setPlace } from './elements/shared-clients.ts';
import { EmbedError } from './embed-error.ts';
import { TrestleEmbed } from './embed-client.ts';

/** The one script tag: defines the elements, and gives the page `window.Trestle`. */
const { currentScript } = document;
if (currentScript instanceof HTMLScriptElement && currentScript.src) setPlace(currentScript.src.replace(/\/embed\/.*$/, ''));

const Trestle = { setUp, addLanguage, TrestleEmbed, EmbedError };
declare global {
  interface Window {
    Trestle?: typeof Trestle;
  }
}
window.Trestle ??= Trestle;
// Whoever was there before this script waits for it.
document.dispatchEvent(new CustomEvent('trestle:ready'));
