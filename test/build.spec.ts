import { mkdtemp, rm } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

it('what is built serves the style and the script of its pages', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trestle-build-'));
  const built = spawnSync(process.execPath, ['node_modules/@nestjs/cli/bin/nest.js', 'build'], { cwd: ROOT, encoding: 'utf8' });
  expect([built.status, built.stderr]).toEqual([0, '']);
  const script = spawnSync(process.execPath, ['packages/embed/build.mjs', 'dist/ui/embed'], { cwd: ROOT, encoding: 'utf8' });
  expect([script.status, script.stderr]).toEqual([0, '']);
  const seed = spawnSync(process.execPath, ['scripts/seed-database.mjs'], { cwd: ROOT, encoding: 'utf8' });
  expect([seed.status, seed.stderr]).toEqual([0, '']);
  expect(readdirSync(join(ROOT, 'dist/database/embedded-postgres'))).toContainEqual(expect.stringMatching(/^seed-\d+\.\d+\.\d+\.tar\.gz$/));
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: folder, SANDBOX: 'off' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', (told) => resolve((told as { listening: number }).listening));
      child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    });
    for (const [path, type, text] of [
      ['/ui/trestle.css', 'text/css', ':root'],
      ['/ui/trestle.js', 'text/javascript', 'addEventListener'],
      ['/embed/trestle.js', 'text/javascript', 'trestle-integrations'],
      ['/docs/try.js', 'text/javascript', 'data-try'],
    ] as const) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      expect([path, answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([path, 200, type]);
      expect(await answer.text()).toContain(text);
    }
    // One that was made anew would have another: https://www.postgresql.org/docs/current/view-pg-control-system.html
    const open = `require('./dist/database/embedded-postgres').openEmbeddedPostgres(process.argv[1]).then((database) => database.close())`;
    const another = join(folder, 'another');
    const opened = spawnSync(process.execPath, ['-e', open, another], { cwd: ROOT, encoding: 'utf8' });
    expect([opened.status, opened.stderr]).toEqual([0, '']);
    const [own, others] = [folder, another].map((data) => readFileSync(join(data, 'postgres', 'global', 'pg_control')).readBigUInt64LE(0));
    expect(own).toBe(others);
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  }
}, 600_000); // on a busy machine the build alone takes minutes
