import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const run = (file: string, args: string[], env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, ['-r', './scripts/register-swc.cjs', file, ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function ended(child: ChildProcess): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })));
}

describe('the service as a process', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trestle-process-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('starts on nothing but a folder, says what it runs on, and ends in order on SIGTERM while it is used', async () => {
    const env = { PORT: '0', DATA_DIR: folder };
    const child = run('src/main.ts', [], env);
    try {
      const end = ended(child);
      const listening = new Promise<number>((resolve) =>
        child.once('message', (told) => resolve((told as { listening: number }).listening)),
      );
      const port = await Promise.race([listening, end.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
      const url = `http://127.0.0.1:${port}`;
      const ready = waitFor(async () => (await fetch(`${url}/health/ready`)).status === 200, 90_000);
      await Promise.race([ready, end.then(({ stderr }) => Promise.reject(new Error(stderr)))]);

      const token = await ended(run('src/cli/token.ts', ['--tenant', 'acme', '--user', 'u1'], env));
      const another = await ended(run('src/cli/token.ts', ['--tenant', 'acme', '--user', 'u1'], env));
      expect(another.stdout).not.toBe(token.stdout);
      expect(token).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/) });
      const headers = { authorization: `Bearer ${token.stdout.trim()}` };
      const providers = (await (await fetch(`${url}/v1/providers`, { headers })).json()) as {
        data: { key: string; configured: boolean }[];
      };
      const pretended = providers.data.filter(({ key }) => ['google', 'slack', 'stripe'].includes(key));
      expect(pretended.map(({ configured }) => configured)).toEqual([true, true, true]);

      // Callers that never pause: every answer that began must be whole; afterwards nobody listens.
      let stopped = false;
      const seen = { ok: 0, notReady: 0, broken: 0 };
      const callers = Array.from({ length: 8 }, async () => {
        while (!stopped) {
          // Refused or reset before an answer began: nothing was promised. In the listen queue that cannot be helped.
          const answer = await fetch(`${url}/v1/providers`, { headers }).catch(() => undefined);
          if (!answer) continue;
          const whole = await answer.json().then(
            () => true,
            () => false,
          );
          if (!whole) seen.broken++;
          else if (answer.status === 200) seen.ok++;
        }
      });
      const signalled = performance.now();
      child.kill('SIGTERM');
      const watcher = waitFor(async () => (await fetch(`${url}/health/ready`)).status === 503, 2_000).then(
        () => void seen.notReady++,
        () => undefined,
      );
      const { code, stdout } = await end;
      stopped = true;
      await Promise.all([...callers, watcher]);

      expect(code).toBe(0);
      expect(performance.now() - signalled).toBeLessThan(25_000);
      expect(seen).toEqual({ ok: expect.any(Number), notReady: 1, broken: 0 });
      expect(seen.ok).toBeGreaterThan(0);
      for (const line of [
        `Listening on 127.0.0.1:${port}`,
        'Storage: embedded Postgres',
        'Sandbox providers: on',
        'Providers configured: ',
        'Stopping: SIGTERM',
      ]) {
        expect(stdout).toContain(line);
      }
      expect((await stat(join(folder, 'secrets', 'api-jwt-secret'))).mode & 0o077).toBe(0);
      expect(stdout).not.toContain(await readFile(join(folder, 'secrets', 'api-jwt-secret'), 'utf8'));
    } finally {
      child.kill('SIGKILL');
    }
  }, 150_000);

  it('says in a sentence that its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const env = { PORT: String(port), DATA_DIR: join(folder, 'second'), SANDBOX: 'off', LOG_LEVEL: 'warn' };
      const { code, stderr } = await ended(run('src/main.ts', [], env));
      expect(code).toBe(1);
      expect(stderr).toContain(`  - PORT: ${port} on 127.0.0.1 is taken by another program`);
      expect(stderr).not.toContain('    at ');
    } finally {
      other.close();
    }
  }, 120_000);

  it('lists every fault of the settings and starts nothing', async () => {
    const { code, stdout, stderr } = await ended(run('src/main.ts', [], { NODE_ENV: 'production', DATA_DIR: folder, SANDBOX: 'on' }));
    expect([code, stdout]).toEqual([1, '']);
    for (const name of ['ENCRYPTION_KEYS', 'API_JWT_SECRET', 'PUBLIC_URL', 'SANDBOX']) expect(stderr).toContain(`  - ${name}: `);
    expect(stderr).not.toContain('    at ');
  }, 60_000);

  it('prints no token without saying whose', async () => {
    const { code, stdout, stderr } = await ended(run('src/cli/token.ts', ['--tenant', 'acme'], { DATA_DIR: folder }));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Usage: npm run -s token');
  }, 60_000);
});

async function waitFor(happened: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await happened().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('It did not happen in time.');
}
