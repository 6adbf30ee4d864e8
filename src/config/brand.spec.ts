import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contrast, readBrand, type BrandVariables } from './brand';

const read = (variables: Partial<BrandVariables>) => {
  const faults: string[] = [];
  return { brand: readBrand({ BRAND_NAME: 'Acme', ...variables }, faults), faults };
};
const fileOf = (name: string, bytes: number) => {
  const path = join(mkdtempSync(join(tmpdir(), 'brand-')), name);
  writeFileSync(path, Buffer.alloc(bytes, 'x'));
  return path;
};

describe('the looks of a product', () => {
  it.each(['#2456c9', '#000000', '#8a2b6b', '#0b6074'])('makes %s light enough for dark, and its text readable', (color) => {
    const { brand, faults } = read({ BRAND_COLOR: color });
    expect(faults).toEqual([]);
    for (const ground of ['#1a2029', '#11151b']) expect(contrast(brand.colors!.dark.color, ground)).toBeGreaterThanOrEqual(4.5);
    for (const each of Object.values(brand.colors!)) expect(contrast(each.color, each.text)).toBeGreaterThanOrEqual(4.5);
  });

  it('takes both colors as they are where they can be read', () => {
    const { brand } = read({ BRAND_COLOR: '#2456c9', BRAND_COLOR_DARK: '#7aa2ff' });
    expect([brand.colors!.light.color, brand.colors!.dark.color]).toEqual(['#2456c9', '#7aa2ff']);
  });

  it('refuses colors in which nothing could be read, with what they have and what is needed', () => {
    expect(read({ BRAND_COLOR: '#ffcc00', BRAND_COLOR_DARK: '#222222' }).faults).toEqual([
      'BRAND_COLOR: #ffcc00 has a contrast of 1.4 to 1 to the light ground of the pages; text needs 4.5 to 1: take a darker one',
      'BRAND_COLOR_DARK: #222222 has a contrast of 1.0 to 1 to the dark ground of the pages; text needs 4.5 to 1: take a lighter one',
    ]);
    expect(read({ BRAND_COLOR_DARK: '#7aa2ff' }).faults).toEqual(['BRAND_COLOR_DARK: needs BRAND_COLOR as well, the color in light']);
  });

  it('takes a logo from https or from a file, and no other', () => {
    expect(read({ BRAND_LOGO: 'https://cdn.example.com/logo.svg?v=2' }).brand.logo).toEqual({
      src: 'https://cdn.example.com/logo.svg?v=2',
    });
    expect(read({ BRAND_LOGO: fileOf('logo.svg', 10) }).brand.logo).toMatchObject({ src: '/ui/logo', file: { type: 'image/svg+xml' } });
    const other = 'BRAND_LOGO: must be an https address, or the path of a file that ends in .svg, .png, .webp, .jpg';
    expect(read({ BRAND_LOGO: 'http://cdn.example.com/logo.svg' }).faults).toEqual([other]);
    expect(read({ BRAND_LOGO: '/etc/passwd' }).faults).toEqual([other]);
    expect(read({ BRAND_LOGO: '/nowhere/logo.png' }).faults).toEqual(['BRAND_LOGO: the file is not there, or cannot be read']);
    expect(read({ BRAND_LOGO: fileOf('logo.png', 101 * 1024) }).faults).toEqual(['BRAND_LOGO: the file has 101 KiB; 100 KiB are the most']);
  });

  it.each(['https://cdn.example.com; script-src *', 'https://a b/logo.svg', 'https://'])('refuses %p, which is no address', (address) => {
    expect(read({ BRAND_LOGO: address }).faults).toHaveLength(1);
  });
});
