import { html, type Html, type HtmlPart } from '../http-api';

/** On a narrow screen each row is a card, its cells under the name of their column. @param caption what it lists; read out, and the name of the part that scrolls */
export function table(caption: string, headings: readonly string[], rows: readonly (readonly HtmlPart[])[], empty: string): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption class="unseen">
        ${caption}
      </caption>
      <thead>
        <tr>
          ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map((cell, column) => html`<td data-label="${headings[column]}">${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** The way to the next page of a list; the filters stay. */
export function nextPage(path: string, filters: Readonly<Record<string, string | undefined>>, cursor: string | null): Html {
  return html`${cursor !== null && html`<p><a href="${addressOf(path, { ...filters, cursor })}">Older entries</a></p>`}`;
}

export function addressOf(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}
