import { html, type Html } from './html';

export interface Layout {
  readonly title: string;
  readonly userId: string;
  /** Links of the navigation; the current one is marked. */
  readonly nav?: readonly { readonly href: string; readonly label: string; readonly current: boolean }[];
  readonly body: Html;
}

/** The frame of every page. Script and style come from this origin only: the content security policy allows nothing else. */
export function page({ title, userId, nav, body }: Layout): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="same-origin" />
        <title>${title} · Trestle</title>
        <link rel="stylesheet" href="/ui/trestle.css" />
        <script src="/ui/trestle.js" defer></script>
      </head>
      <body>
        <header>
          <strong>Trestle</strong>
          <nav aria-label="Pages">
            ${(nav ?? []).map((link) => html`<a href="${link.href}" ${link.current && html`aria-current="page"`}>${link.label}</a>`)}
          </nav>
          <span class="who">${userId}</span>
        </header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`.text;
}

/** A form of one button; carries the session's CSRF token. */
export function action(options: { to: string; label: string; csrfToken: string; kind?: 'primary' | 'danger' | 'plain'; confirm?: string; fields?: Html }): Html {
  return html`<form method="post" action="${options.to}" ${options.confirm && html`data-confirm="${options.confirm}"`}>
    <input type="hidden" name="_csrf" value="${options.csrfToken}" />
    ${options.fields}
    <button class="${options.kind ?? 'plain'}">${options.label}</button>
  </form>`;
}

export function banner(kind: 'good' | 'bad', text: string): Html {
  return html`<p class="banner ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}">${text}</p>`;
}

export function table(headings: readonly string[], rows: readonly (readonly (Html | string | number | null)[])[], empty: string): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}
      </tbody>
    </table>
  </div>`;
}
