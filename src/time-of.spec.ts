import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

/** What a server in a zone reads. */
function readIn(zone: string, texts: readonly string[]): unknown {
  const script = `process.stdout.write(JSON.stringify(${JSON.stringify(texts)}.map((text) => require('./src/time-of').timeOf(text))))`;
  const args = ['-r', join(ROOT, 'scripts/register-swc.cjs'), '-e', script];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, env: { ...process.env, TZ: zone }, encoding: 'utf8' }));
}

it.each(['UTC', 'Asia/Shanghai', 'America/Los_Angeles'])('reads the same of a text in every zone: %s', (zone) => {
  const at = Date.UTC(2026, 2, 1, 10, 30);
  const read = readIn(zone, [
    '2026-03-01T10:30',
    '2026-03-01T10:30:00',
    '2026-03-01 10:30:00',
    '2026-03-01T10:30:00.000',
    '2026-03-01T10:30Z',
    '2026-03-01T12:30:00+02:00',
    '2026-03-01T12:30:00.000+0200',
    'Sun, 01 Mar 2026 10:30:00 GMT',
    'Sun, 01 Mar 2026 12:30:00 +0200',
    'Sun Mar  1 10:30:00 2026',
    '2026-03-01',
    'yesterday',
  ]);
  expect(read).toEqual([...Array<number>(10).fill(at), Date.UTC(2026, 2, 1), null]);
});
