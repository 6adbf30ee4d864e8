import { readFileSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';

/** How the pages of the product's users look. */
export interface Brand {
  readonly name: string;
  readonly logo?: Logo;
  /** Of buttons and links: in light, in dark. */
  readonly colors?: { readonly light: BrandColor; readonly dark: BrandColor };
}

/** Where a browser finds it; `file` where it is ours to serve. */
export interface Logo {
  readonly src: string;
  readonly file?: { readonly type: string; readonly body: Buffer };
}

export interface BrandColor {
  readonly color: string;
  /** Of text on it. */
  readonly text: string;
}

export interface BrandVariables {
  readonly BRAND_NAME: string;
  readonly BRAND_LOGO?: string | undefined;
  readonly BRAND_COLOR?: string | undefined;
  readonly BRAND_COLOR_DARK?: string | undefined;
}

export const PLAIN_BRAND: Brand = { name: 'Trestle' };
export const LOGO_PATH = '/ui/logo';

const MOST_LOGO_BYTES = 100 * 1024;
const IMAGE_TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.jpg': 'image/jpeg',
};
/** What stands behind links and buttons: `--card` and `--paper` of the style. */
const BEHIND = { light: ['#ffffff', '#f4f6f8'], dark: ['#1a2029', '#11151b'] } as const;
/** https://www.w3.org/TR/WCAG21/#contrast-minimum */
const LEAST_CONTRAST = 4.5;

/** What is wrong is added to `faults`, a sentence each. */
export function readBrand(variables: BrandVariables, faults: string[]): Brand {
  const { BRAND_NAME: name, BRAND_LOGO: logo, BRAND_COLOR: light, BRAND_COLOR_DARK: dark } = variables;
  if (dark !== undefined && light === undefined) faults.push('BRAND_COLOR_DARK: needs BRAND_COLOR as well, the color in light');
  const read = logo === undefined ? undefined : readLogo(logo, faults);
  return { name, ...(read && { logo: read }), ...(light !== undefined && { colors: readColors(light, dark, faults) }) };
}

function readLogo(text: string, faults: string[]): Logo | undefined {
  if (URL.canParse(text) && new URL(text).protocol === 'https:') return { src: new URL(text).href };
  const type = IMAGE_TYPES[extname(text).toLowerCase()];
  if (type === undefined || /^\w+:\/\//.test(text)) {
    faults.push(`BRAND_LOGO: must be an https address, or the path of a file that ends in ${Object.keys(IMAGE_TYPES).join(', ')}`);
    return undefined;
  }
  try {
    const path = resolve(text);
    const { size } = statSync(path);
    if (size <= MOST_LOGO_BYTES) return { src: LOGO_PATH, file: { type, body: readFileSync(path) } };
    faults.push(`BRAND_LOGO: the file has ${Math.ceil(size / 1024)} KiB; ${MOST_LOGO_BYTES / 1024} KiB are the most`);
  } catch {
    faults.push('BRAND_LOGO: the file is not there, or cannot be read');
  }
  return undefined;
}

function readColors(light: string, dark: string | undefined, faults: string[]): Brand['colors'] {
  checkContrast('BRAND_COLOR', light, 'light', faults);
  if (dark !== undefined) checkContrast('BRAND_COLOR_DARK', dark, 'dark', faults);
  return { light: withText(light), dark: withText(dark ?? lightenedForDark(light)) };
}

function checkContrast(setting: string, color: string, look: keyof typeof BEHIND, faults: string[]): void {
  const least = leastContrast(color, look);
  if (least < LEAST_CONTRAST)
    faults.push(
      `${setting}: ${color} has a contrast of ${least.toFixed(1)} to 1 to the ${look} ground of the pages; text needs ${LEAST_CONTRAST} to 1: take a ${look === 'light' ? 'darker' : 'lighter'} one`,
    );
}

function leastContrast(color: string, look: keyof typeof BEHIND): number {
  return Math.min(...BEHIND[look].map((ground) => contrast(color, ground)));
}

function withText(color: string): BrandColor {
  const [best] = ['#ffffff', '#10182b'].sort((a, b) => contrast(b, color) - contrast(a, color));
  return { color, text: best as string };
}

/** The same color with as much white as the dark ground needs. */
function lightenedForDark(color: string): string {
  for (let white = 0; white < 1; white += 0.05) {
    const mixed = `#${channelsOf(color)
      .map((channel) =>
        Math.round(channel + (255 - channel) * white)
          .toString(16)
          .padStart(2, '0'),
      )
      .join('')}`;
    if (leastContrast(mixed, 'dark') >= LEAST_CONTRAST) return mixed;
  }
  return '#ffffff';
}

/** https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio */
export function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [r, g, b] = channelsOf(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function channelsOf(color: string): number[] {
  return [1, 3, 5].map((from) => parseInt(color.slice(from, from + 2), 16));
}
