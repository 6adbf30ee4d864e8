import { readFileSync } from 'node:fs';
import * as icons from 'simple-icons';
import { contrast } from '../../src/config/brand';
import { PLAIN_PROVIDERS } from '../../src/providers';

/** Under another name than the provider's. */
const TITLES: Readonly<Record<string, string>> = {
  'dev-to': 'dev.to',
  'github-app': 'GitHub',
  'intra-42': '42',
  'zoom-account': 'Zoom',
  'mastodon-social': 'Mastodon',
  wikimedia: 'Wikimedia Foundation',
};
/** Of simple-icons these were taken out; https://github.com/gilbarbara/logos has them, in their own colors. */
const IN_COLOR: Readonly<Record<string, string>> = {
  slack: 'slack-icon',
  microsoft: 'microsoft-icon',
  adobe: 'adobe-icon',
  eventbrite: 'eventbrite-icon',
  heroku: 'heroku-icon',
  linkedin: 'linkedin-icon',
  monday: 'monday-icon',
  twilio: 'twilio-icon',
};
const CODED = [
  { key: 'slack', name: 'Slack' },
  { key: 'stripe', name: 'Stripe' },
  { key: 'google', name: 'Google' },
];

interface Logos {
  readonly width: number;
  readonly height: number;
  readonly icons: Readonly<Record<string, { readonly body: string; readonly width?: number; readonly height?: number }>>;
}
interface SimpleIcon {
  readonly title: string;
  readonly hex: string;
  readonly path: string;
}

/** The signs of the providers in one file, a symbol each, of those that the packages have: all of both would be 30 MB. */
export function providerIcons(): string {
  // Beside the names stands `default` where a bundler joins the two kinds of modules.
  const all = Object.values<Partial<SimpleIcon>>({ ...icons }).filter((icon): icon is SimpleIcon => icon.title !== undefined);
  const simple = new Map(all.map((icon) => [icon.title.toLowerCase(), icon]));
  const logos = JSON.parse(readFileSync(require.resolve('@iconify-json/logos/icons.json'), 'utf8')) as Logos;
  const symbols = [...CODED, ...PLAIN_PROVIDERS]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .flatMap(({ key, name }) => {
      const inColor = IN_COLOR[key];
      if (inColor !== undefined) return [symbolOf(key, '#ffffff', logoIn(logos, inColor))];
      const icon = simple.get((TITLES[key] ?? name).toLowerCase());
      return icon ? [symbolOf(key, `#${icon.hex.toLowerCase()}`, pathOf(icon))] : [];
    });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`;
}

/** On a ground of the provider's own color, with an edge that can be seen on any page. */
function symbolOf(key: string, ground: string, sign: string): string {
  const edge = '<rect x=".5" y=".5" width="39" height="39" rx="8.5" fill="none" stroke="#808890" stroke-opacity=".45"/>';
  return `<symbol id="${key}" viewBox="0 0 40 40"><rect width="40" height="40" rx="9" fill="${ground}"/>${sign}${edge}</symbol>`;
}

function pathOf({ hex, path }: SimpleIcon): string {
  const ground = `#${hex.toLowerCase()}`;
  const color = contrast('#ffffff', ground) >= 2.5 ? '#ffffff' : '#10182b';
  return `<path transform="translate(9 9) scale(.9167)" fill="${color}" d="${path}"/>`;
}

function logoIn({ icons, width: usualWidth, height: usualHeight }: Logos, name: string): string {
  const { body, width = usualWidth, height = usualHeight } = icons[name]!;
  return `<svg x="8" y="8" width="24" height="24" viewBox="0 0 ${width} ${height}">${body}</svg>`;
}
