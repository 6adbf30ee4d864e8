import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readServiceEnvironment } from './bootstrap-environment';

describe('SANDBOX with the keys of providers', () => {
  const before = { ...process.env };
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trestle-environment-'));
  });
  beforeEach(() => {
    Object.assign(process.env, { NODE_ENV: 'test', DATA_DIR: folder, SLACK_CLIENT_ID: '1.2', SLACK_CLIENT_SECRET: 'a real one' });
  });
  afterAll(async () => {
    for (const name of ['DATA_DIR', 'SANDBOX', 'SLACK_CLIENT_ID', 'SLACK_CLIENT_SECRET']) delete process.env[name];
    Object.assign(process.env, before);
    await rm(folder, { recursive: true, force: true });
  });

  it('stands in for these, and leaves the others as they are', async () => {
    process.env['SANDBOX'] = 'stripe, google';
    const { settings, sandbox } = await readServiceEnvironment();
    try {
      const { slack, stripe, google } = settings.providers;
      expect([settings.useSandbox, settings.sandboxOnly]).toEqual([true, ['stripe', 'google']]);
      expect([slack?.clientId, slack?.apiBaseUrl]).toEqual(['1.2', undefined]);
      for (const pretended of [stripe, google]) expect(pretended?.apiBaseUrl).toMatch(/^http:\/\/(127\.0\.0\.1|localhost):/);
    } finally {
      await sandbox?.stop();
    }
  });

  it('refuses what is no provider, and what it has no counterpart of', async () => {
    process.env['SANDBOX'] = 'stripe,stirpe';
    await expect(readServiceEnvironment()).rejects.toThrow(/SANDBOX: there is no provider "stirpe"/);
    process.env['SANDBOX'] = 'stripe,todoist';
    await expect(readServiceEnvironment()).rejects.toThrow(/SANDBOX: it has no todoist/);
  });
});
