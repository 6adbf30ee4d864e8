import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLAIN_PROVIDERS } from '../src/providers';
import { providerIcons } from './support/provider-icons';

const FILE = join(__dirname, '..', 'src', 'http-api', 'frame', 'assets', 'icons.svg');
const MOST_BYTES = 160 * 1024;

describe('the icons of the providers', () => {
  it('are those of the packages; UPDATE_DOCS=true writes them anew', () => {
    const icons = providerIcons();
    if (process.env['UPDATE_DOCS'] === 'true') writeFileSync(FILE, icons);
    expect(readFileSync(FILE, 'utf8')).toBe(icons);
  });

  it('hold nothing that runs or leads elsewhere, and are of providers that there are', () => {
    const text = readFileSync(FILE, 'utf8');
    const ids = [...text.matchAll(/<symbol id="([^"]+)"/g)].map(([, id]) => id);
    const known = new Set(['slack', 'stripe', 'google', ...PLAIN_PROVIDERS.map(({ key }) => key)]);
    expect(text.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/<script|\son\w+=|href|url\(|https?:|<style|style=/);
    expect(ids.filter((id) => !known.has(id!))).toEqual([]);
    expect(ids.length).toBeGreaterThan(90);
    expect(new Set(ids).size).toBe(ids.length);
    expect(text.length).toBeLessThan(MOST_BYTES);
  });
});
