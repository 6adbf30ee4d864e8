import { html, roleReaches, signOutForm, type Html, type SessionPrincipal } from '../http-api';

export interface Layout {
  readonly title: string;
  readonly caller: SessionPrincipal;
  /** Path of the page, to mark its link. */
  readonly path: string;
  readonly body: Html;
  /** What was looked for, to stand in the search box. */
  readonly sought?: string | undefined;
  /** Where the browser goes on to by itself, at once. */
  readonly refreshTo?: string;
}

export const SEARCH_PATH = '/admin/search';
export const INTEGRATIONS_PATH = '/settings/integrations';
const ADMIN_LINKS = [
  { href: '/admin', label: 'Overview' },
  { href: '/admin/alerts', label: 'Alerts' },
  { href: '/admin/connections', label: 'Connections' },
  { href: '/admin/webhook-events', label: 'Webhook events' },
  { href: '/admin/sync-runs', label: 'Sync runs' },
  { href: '/admin/requests', label: 'Requests' },
  { href: '/admin/deliveries', label: 'Deliveries' },
  { href: '/admin/destinations', label: 'Destinations' },
  { href: '/admin/audit', label: 'Audit' },
] as const;
const OPERATOR_LINKS = [{ href: '/admin/keys', label: 'Keys' }] as const;

/** The frame of every page. Script and style come from this origin only: the content security policy allows nothing else. */
export function page({ title, caller, path, body, sought, refreshTo }: Layout): string {
  const isAdmin = roleReaches(caller.role, 'admin');
  const links = [
    { href: INTEGRATIONS_PATH, label: 'Integrations' },
    ...(isAdmin ? ADMIN_LINKS : []),
    ...(caller.role === 'operator' ? OPERATOR_LINKS : []),
  ];
  // The referrer policy of the headers would make a form's Origin "null"; within our own origin it may be told.
  const { text } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="same-origin" />
        ${refreshTo !== undefined && html`<meta http-equiv="refresh" content="0;url=${refreshTo}" />`}
        <title>${title} · Trestle</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/ui/trestle.css" />
        <script src="/ui/idiomorph.js" defer></script>
        <script src="/ui/trestle.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <strong>Trestle</strong>
          <nav aria-label="Pages">
            ${links.map((link) => html`<a href="${link.href}" ${link.href === path && html`aria-current="page"`}>${link.label}</a>`)}
          </nav>
          ${isAdmin && searchBox(sought)}
          <span class="who">${caller.userId} · ${caller.tenant}</span>
          ${signOutForm(caller)}
        </header>
        <main id="content" tabindex="-1">
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`;
  return compact(text);
}

/** Without the indentation of our own source, which a list has a thousand times; what is preformatted stays. */
function compact(text: string): string {
  return text
    .split(/(<pre>[^]*?<\/pre>)/)
    .map((part) => (part.startsWith('<pre>') ? part : part.replace(/\n\s*/g, '\n')))
    .join('');
}

/** One for whatever has a page: ids, accounts, people. */
function searchBox(sought: string | undefined): Html {
  return html`<form class="find" method="get" action="${SEARCH_PATH}" role="search" aria-label="Find anything">
    <input
      type="search"
      name="q"
      value="${sought}"
      aria-label="What to find"
      placeholder="Id, account, user"
      maxlength="200"
      autocomplete="off"
      spellcheck="false"
    />
    <button>Find</button>
  </form>`;
}

export function banner(kind: 'good' | 'bad', text: string): Html {
  return html`<p class="banner ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}">${text}</p>`;
}

/** What kind of news a status is: its colour never says it alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'soft';

export function pill(tone: Tone, text: string): Html {
  return html`<span class="pill ${tone}">${text}</span>`;
}
