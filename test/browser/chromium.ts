import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = PLACES.find((place) => existsSync(place));

/** Like `describe`; without a browser on this machine it is skipped, and says so. */
export function describeInBrowser(name: string, body: () => void): void {
  if (executablePath) return describe(name, body);
  console.warn(`SKIPPED: "${name}" needs Chromium or Chrome (on Debian: apt-get install chromium).`);
  describe.skip(`${name} (skipped: no browser on this machine)`, body);
}

/** @param blocksPopUps as people's browsers do; for tests that is off by default */
export function launchBrowser({ blocksPopUps = false } = {}): Promise<Browser> {
  const ignoreDefaultArgs = blocksPopUps ? ['--disable-popup-blocking'] : [];
  return chromium.launch({ executablePath, args: FLAGS, headless: true, ignoreDefaultArgs });
}

export const LOOKS = [
  { name: 'light-wide', colorScheme: 'light', width: 1280 },
  { name: 'dark-wide', colorScheme: 'dark', width: 1280 },
  { name: 'light-360', colorScheme: 'light', width: 360 },
  { name: 'dark-360', colorScheme: 'dark', width: 360 },
] as const;

/** Pictures of the page in light and dark, wide and narrow, for people to look at: only where `PICTURES` names a folder. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['PICTURES'];
  if (!folder) return;
  const size = page.viewportSize();
  for (const look of LOOKS) {
    await page.emulateMedia({ colorScheme: look.colorScheme });
    await page.setViewportSize({ width: look.width, height: 800 });
    await page.screenshot({ path: join(folder, `${name}-${look.name}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: null });
  if (size) await page.setViewportSize(size);
}
