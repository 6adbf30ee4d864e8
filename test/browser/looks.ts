import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page, Response } from 'playwright-core';
import { BORDERLESS, CUT_TEXTS, OFF_SCREEN, OVERFLOWING } from './in-page';

/** For people to look at; not kept by git. */
const PICTURES = join(__dirname, '..', '..', 'artifacts', 'pages');
const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) => [390, 1280].map((width) => ({ colorScheme, width })));
const MOST_BYTES = 40 * 1024;
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
/** What is wrong in the eyes of axe, a line each. */
const FINDINGS = `axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 160))))`;

/** A picture of each look, light and dark, on a phone and on a desk, of a page as it stands. */
export async function pictures(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  for (const { colorScheme, width } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: join(PICTURES, `${name}-${colorScheme}-${width}.png`), fullPage: true });
  }
}

/**
 * Looks at a page in light and dark, on a phone and on a desk, and with colors that the reader has forced, and leaves a picture of each.
 *
 * @param open the address, or what leads the page there
 * @returns what is wrong, a line each
 */
export async function faultsOfLooks(page: Page, open: string | (() => Promise<Response | null>), name: string): Promise<string[]> {
  mkdirSync(PICTURES, { recursive: true });
  const answer = await (typeof open === 'string' ? page.goto(open) : open());
  const bytes = (await answer?.body())?.length ?? 0;
  const faults = bytes > MOST_BYTES ? [`${bytes} bytes`] : [];
  await page.evaluate(AXE);
  for (const { colorScheme, width } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    const look = `${colorScheme}, ${width} px`;
    const outside = await page.evaluate<string | undefined>(OVERFLOWING);
    const hidden = await page.evaluate<string[]>(OFF_SCREEN);
    const cut = await page.evaluate<string[]>(CUT_TEXTS);
    const found = await page.evaluate<string[]>(FINDINGS);
    faults.push(
      ...(outside === undefined ? [] : [`${look}: sticks out: ${outside}`]),
      ...hidden.map((each) => `${look}: to be scrolled to: ${each}`),
      ...cut.map((each) => `${look}: cut: ${each}`),
      ...found.map((each) => `${look}: ${each}`),
    );
    await page.screenshot({ path: join(PICTURES, `${name}-${colorScheme}-${width}.png`), fullPage: true });
  }
  // The reader's own colors: https://www.w3.org/TR/css-color-adjust-1/#forced
  await page.emulateMedia({ colorScheme: 'dark', forcedColors: 'active' });
  const borderless = await page.evaluate<string[]>(BORDERLESS);
  faults.push(...borderless.map((each) => `forced colors: nothing shows that it is a button or a field: ${each}`));
  await page.screenshot({ path: join(PICTURES, `${name}-forced-1280.png`), fullPage: true });
  await page.emulateMedia({ forcedColors: 'none' });
  return faults;
}
