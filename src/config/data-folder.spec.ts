import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedPostgres } from '../database';
import { loadSettings } from './env';
import { folderFault } from './data-folder';

describe('the data folder', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'trestle-folder-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is nobody else’s: one that others may read, write or enter is refused with what to do', async () => {
    expect(folderFault(folder)).toBeUndefined();
    expect(folderFault(join(folder, 'not-there-yet'))).toBeUndefined();
    for (const mode of [0o755, 0o750, 0o701, 0o777]) {
      await chmod(folder, mode);
      expect(folderFault(folder)).toMatch(new RegExp(`^DATA_DIR: .*mode ${mode.toString(8)}.*chmod 700`));
      expect(() => loadSettings({ NODE_ENV: 'test', DATA_DIR: folder }, [])).toThrow(/chmod 700/);
    }
    await writeFile(join(folder, 'file'), '');
    expect(folderFault(join(folder, 'file'))).toMatch(/is a file/);
  });

  it('says nothing where nothing lies in it: in production on a server', async () => {
    await chmod(folder, 0o755);
    const env = {
      NODE_ENV: 'production',
      DATA_DIR: folder,
      PUBLIC_URL: 'https://trestle.example.com',
      DATABASE_URL: 'postgres://u:p@127.0.0.1/x',
      API_JWT_SECRET: '0123456789abcdef0123456789abcdef',
      ENCRYPTION_KEYS: `k1:${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`,
    };
    expect(() => loadSettings(env, [])).not.toThrow();
    expect(() => loadSettings({ ...env, DATABASE_URL: undefined }, [])).toThrow(/chmod 700/);
  });

  it('is made for its owner alone', async () => {
    const made = join(folder, 'a', 'data');
    const embedded = await openEmbeddedPostgres(made);
    await embedded.close();
    for (const path of [made, join(made, 'postgres'), join(made, 'postgres', 'PG_VERSION'), join(made, 'postgres', 'base')])
      expect(((await stat(path)).mode & 0o077).toString(8)).toBe('0');
  });
});
