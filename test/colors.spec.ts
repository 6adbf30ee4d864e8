import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (path: string) => readFileSync(join(__dirname, '..', path), 'utf8');
const colorsIn = (text: string, pattern: RegExp) => Object.fromEntries([...text.matchAll(pattern)].map(([, name, value]) => [name, value]));

/** On a page of the product's nobody knows what lies around the card: its edge is stronger in the dark. */
const OWN_OF_THE_EMBED = { dark: ['line'], light: [] as string[] };

it.each(['light', 'dark'] as const)('the embed has the colors of our own pages, %s', (look) => {
  const [light = '', dark = ''] = read('src/ui/assets/colors.css').split('@media');
  const pages = colorsIn(look === 'light' ? light : dark, /--([a-z-]+): (#[0-9a-f]{6});/g);
  const styles = read('packages/embed/src/elements/styles.ts');
  const [darkOfEmbed = '', rest = ''] = styles.split('export const styles');
  const embed = colorsIn(look === 'light' ? rest : darkOfEmbed, /var\(--trestle-([a-z-]+), (#[0-9a-f]{6})\)/g);
  expect(Object.keys(embed).length).toBeGreaterThan(8);
  for (const [name, value] of Object.entries(embed))
    if (!OWN_OF_THE_EMBED[look].includes(name ?? '')) expect([name, value]).toEqual([name, pages[name]]);
});

it('no other style sheet of ours says them again', () => {
  for (const path of ['src/ui/assets/trestle.css', 'sandbox/control.css'])
    expect([path, read(path).match(/^\s*--\w+: #/gm)]).toEqual([path, null]);
});
