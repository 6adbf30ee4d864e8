import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileCacheFolder } from './compile-cache';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'trestle-compiled-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('keeps what was compiled in the data folder', () => {
  expect(compileCacheFolder(folder)).toBe(join(folder, 'compile-cache'));
});

it('keeps nothing in a folder that others may write, or that is not there yet', () => {
  expect(compileCacheFolder(join(folder, 'later'))).toBeUndefined();
  chmodSync(folder, 0o777);
  expect(compileCacheFolder(folder)).toBeUndefined();
});
