import { brandSign, html, PLAIN_FRAME, roleReaches, signOutForm, type Html, type PageFrame, type SessionPrincipal } from '../http-api';
import type { Language, Word } from '../languages';
import { searchBox } from './search-box';

export interface Layout {
  readonly title: string;
  /** Default: English, as Trestle itself. */
  readonly frame?: PageFrame;
  readonly caller: SessionPrincipal;
  /** Path of the page, to mark its link. */
  readonly path: string;
  readonly body: Html;
  /** What was looked for, to stand in the search box. */
  readonly sought?: string | undefined;
  /** Where the browser goes on to by itself, at once. */
  readonly refreshTo?: string;
}

export { SEARCH_PATH } from './search-box';
export const INTEGRATIONS_PATH = '/settings/integrations';
const ADMIN_LINKS = [
  { href: '/admin', label: 'Overview' },
  { href: '/admin/alerts', label: 'Alerts' },
  { href: '/admin/providers', label: 'Providers' },
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
export function page({ title, frame = PLAIN_FRAME, caller, path, body, sought, refreshTo }: Layout): string {
  const { brand, language } = frame;
  const isAdmin = roleReaches(caller.role, 'admin');
  const links = [
    { href: INTEGRATIONS_PATH, label: language.say('integrations.title') },
    ...(isAdmin ? ADMIN_LINKS : []),
    ...(caller.role === 'operator' ? OPERATOR_LINKS : []),
  ];
  // The referrer policy of the headers would make a form's Origin "null"; within our own origin it may be told.
  const { text } = html`<!doctype html>
    <html lang="${language.tag}" dir="${language.direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="same-origin" />
        ${refreshTo !== undefined && html`<meta http-equiv="refresh" content="0;url=${refreshTo}" />`}
        <title>${title} · ${brand.name}</title>
        <link rel="icon" href="${brand.logo?.src ?? 'data:,'}" />
        <link rel="stylesheet" href="/ui/trestle.css" />
        <script src="/ui/idiomorph.js" defer></script>
        <script src="/ui/trestle.js" defer data-words="${scriptWords(language)}"></script>
      </head>
      <body>
        <a class="skip" href="#content">${language.say('page.skip')}</a>
        <header>
          <span class="brand">${brandSign(brand)}</span>
          <nav aria-label="${language.say('page.links')}">
            ${links.map((link) => html`<a href="${link.href}" ${link.href === path && html`aria-current="page"`}>${link.label}</a>`)}
          </nav>
          ${isAdmin && searchBox(sought)}
          <span class="who">${caller.userId} · ${caller.tenant}</span>
          ${signOutForm(caller, language)}
        </header>
        <main id="content" tabindex="-1">
          <h1>${title}</h1>
          ${body}
        </main>
        ${path === INTEGRATIONS_PATH && languageChoice(frame)}
      </body>
    </html>`;
  return compact(text);
}

/** Of the script's own words: it finds them at its element. */
const SCRIPT_WORDS = [
  'script.cancel',
  'script.live',
  'script.paused',
  'script.pausedAgain',
  'script.copy',
  'script.copied',
  'script.selected',
  'script.copyOne',
  'script.notReached',
  'time.now',
  'time.inSeconds',
] as const satisfies readonly Word[];

function scriptWords(language: Language): string {
  return JSON.stringify(
    Object.fromEntries(SCRIPT_WORDS.map((word) => [word.split('.')[1], language.say(word, { text: '{text}', seconds: '{seconds}' })])),
  );
}

/** Each language by its own name. */
function languageChoice({ language, languages }: PageFrame): Html | false {
  return (
    languages.length > 1 &&
    html`<footer>
      <nav class="languages" aria-label="${language.say('page.languages')}">
        ${languages.map(
          ({ tag, name }) =>
            html`<a
              href="${INTEGRATIONS_PATH}?lang=${tag}"
              lang="${tag}"
              hreflang="${tag}"
              ${tag === language.tag && html`aria-current="true"`}
              >${name}</a
            >`,
        )}
      </nav>
    </footer>`
  );
}

/** Without the indentation of our own source, which a list has a thousand times; what is preformatted stays. */
function compact(text: string): string {
  return text
    .split(/(<pre>[^]*?<\/pre>)/)
    .map((part) => (part.startsWith('<pre>') ? part : part.replace(/\n\s*/g, '\n')))
    .join('');
}

export function banner(kind: 'good' | 'bad', text: string): Html {
  return html`<p class="banner ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}">${text}</p>`;
}

/** What kind of news a status is: its colour never says it alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'soft';

export function pill(tone: Tone, text: string): Html {
  return html`<span class="pill ${tone}">${text}</span>`;
}
