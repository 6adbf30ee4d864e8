import type { Brand } from '../config/brand';
import type { Language, Word } from '../languages';
import { PLAIN_FRAME, type PageFrame } from './frame/page-frames';

/** Text that is safe to send as HTML: made by `html` only, so that what comes from outside is always escaped. */
export class Html {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

export type HtmlPart = Html | string | number | null | undefined | false | readonly HtmlPart[];

/** html`<p>${name}</p>`: every value is escaped, unless it is itself `Html`; null, undefined and false are nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlPart[]): Html {
  return new Html(strings.reduce((text, chunk, index) => text + render(values[index - 1]) + chunk));
}

/** Escapes text for HTML, in elements and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What a word of the catalogue says, with what is filled in; that may be `Html`. */
export function told(language: Language, word: Word, values: Readonly<Record<string, HtmlPart>> = {}): Html {
  return html`${language.parts(word, values)}`;
}

/**
 * A plain page without a script, for whoever is not signed in and for what went wrong. The style is the pages' own, where they are served.
 *
 * @param sign of whom the page is about, beside its title
 */
export function htmlPage(title: string, body: Html, { language, brand }: PageFrame = PLAIN_FRAME, sign?: Html): string {
  return html`<!doctype html>
    <html lang="${language.tag}" dir="${language.direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · ${brand.name}</title>
        ${brand.logo && html`<link rel="icon" href="${brand.logo.src}" />`}
        <link rel="stylesheet" href="/ui/trestle.css" />
      </head>
      <body class="plain">
        <main>
          <p class="brand">${brandSign(brand)}</p>
          ${sign === undefined ? html`<h1>${title}</h1>` : html`<h1 class="signed">${sign}<span>${title}</span></h1>`} ${body}
        </main>
      </body>
    </html>`.text;
}

/** Where pictures may come from, for `img-src`. */
export function imageSource({ logo }: Brand): string {
  return logo === undefined || logo.file ? "'self'" : `'self' ${new URL(logo.src).origin}`;
}

/** The product's logo with its name, or the name alone. */
export function brandSign({ name, logo }: Brand): Html {
  return html`${logo && html`<img class="logo" src="${logo.src}" alt="" /> `}<strong>${name}</strong>`;
}

function render(part: HtmlPart): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(render).join('');
  return escapeHtml(String(part as string | number));
}
