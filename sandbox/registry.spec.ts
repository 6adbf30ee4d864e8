import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '.';
import { PROVIDERS } from './providers';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trestle-sandbox-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Saved by a sandbox that knew neither the provider `google` nor the serial number of `slack`. */
async function olderFile(path: string): Promise<void> {
  const first = await startSandbox({ stateFile: path });
  first.control.mint({ provider: 'slack', account: 'T_OLD' });
  first.control.mint({ provider: 'google', account: 'old@acme.test' });
  await first.stop();
  const saved = JSON.parse(await readFile(path, 'utf8')) as {
    secrets: Record<string, unknown>;
    providers: Record<string, Record<string, unknown>>;
  };
  delete saved.secrets['google'];
  delete saved.providers['google'];
  delete saved.providers['slack']?.['serial'];
  await writeFile(path, JSON.stringify(saved));
}

describe('the registry of the sandbox', () => {
  it('completes a state file that is older than a provider, and keeps what the others have', async () => {
    const path = join(folder, 'older.json');
    await olderFile(path);
    const sandbox = await startSandbox({ stateFile: path });
    expect(sandbox.control.state().slack['T_OLD']).toMatchObject({ activeGrants: 1 });
    expect(sandbox.control.state().google).toEqual({});
    expect(sandbox.control.mint({ provider: 'google' })).toHaveProperty('access_token');
    expect(sandbox.control.change('slack', 'channels', { account: 'T_OLD' })).toMatchObject({ name: 'channel-1' });
    await sandbox.stop();
  });

  it('starts afresh with a file that nobody can read', async () => {
    const path = join(folder, 'broken.json');
    await writeFile(path, '{"secrets":{"sla');
    const sandbox = await startSandbox({ stateFile: path });
    expect(sandbox.control.state().slack).toEqual({});
    await sandbox.stop();
  });

  it('gives every provider an origin, settings, events and a view, and names them where one is unknown', async () => {
    const sandbox = await startSandbox();
    for (const { name } of PROVIDERS) {
      const { url } = { url: sandbox.urls[name] ?? '' };
      expect(Object.values(sandbox.env()).filter((value) => value.startsWith(url)).length).toBeGreaterThan(2);
      expect(sandbox.control.provider(name).events.length).toBeGreaterThan(0);
    }
    expect(() => sandbox.control.mint({ provider: 'nobody' })).toThrow(/slack.*stripe.*google/);
    expect(() => sandbox.control.mint({ provider: 'constructor' })).toThrow(/provider must be one of/);
    expect(() => sandbox.control.change('slack', 'toString')).toThrow(/channels, users, messages/);
    await sandbox.stop();
  });
});
