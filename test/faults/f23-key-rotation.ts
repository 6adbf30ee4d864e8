import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTrial, verdict, type Trial } from '../support/way-out-trial';
import { productUser } from '../support/product-user';
import type { Fault } from './lib/fault';

const READS = 100_000;
const CONNECTIONS = 12;
const CHUNK = 500;

export const fault: Fault = {
  id: 'F23',
  promise:
    'the encryption key is changed while three processes run, one of them still on the old one: no read fails, and all is under the new key at the end',
  stages: ['server'],
  boundS: 900,
  run: (stage, services) => {
    // docs/encryption-keys.md: known everywhere before it is used anywhere.
    const [k1, k2] = ['k1', 'k2'].map((id) => `${id}:${randomBytes(32).toString('base64')}`) as [string, string];
    const keysOf = [k1, k1, k1];
    return onTrial(stage, services, { envOf: (index) => ({ ENCRYPTION_KEYS: keysOf[index]! }) }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const ids = await Promise.all(
        Array.from({ length: CONNECTIONS }, (_, index) => user.connect('google', { account: `person${index}@acme.test` })),
      );
      const counts = { ok: 0, failed: 0, renewed: 0 };
      let over = false;
      // Every process reads all the time; one that restarts is passed over.
      const reader = async (member: number) => {
        for (let turn = 0; !over || counts.ok < READS; turn++) {
          const answer = await user
            .call(`/v1/probe/${ids[turn % ids.length]}/decryptions?reads=${CHUNK}`, { method: 'POST', member })
            .catch(() => undefined);
          if (answer?.status !== 201) {
            await new Promise((resolve) => setTimeout(resolve, 100));
            continue;
          }
          const { ok, failures } = answer.body as { ok: number; failures: Record<string, number> };
          counts.ok += ok;
          counts.failed += Object.values(failures).reduce((sum, count) => sum + count, 0);
        }
      };
      // And every process writes: a refused token is renewed and stored under that process's primary.
      const writer = async (member: number) => {
        for (let turn = member; !over; turn++) {
          const account = `person${turn % ids.length}@acme.test`;
          await sandbox.post('/tokens/expire', { provider: 'google', account });
          const answer = await user
            .call(`/v1/connections/${ids[turn % ids.length]}/proxy/gmail/v1/users/me/profile`, { member })
            .catch(() => undefined);
          if (answer?.status === 200) counts.renewed++;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      const work = Promise.all(cluster.members.flatMap(({ index }) => [reader(index), writer(index)]));
      const restart = async (index: number, keys: string) => {
        keysOf[index] = keys;
        await cluster.members[index]!.stop();
        await cluster.members[index]!.start();
      };
      let first: Rotation;
      let last: Rotation;
      try {
        for (const index of [0, 1, 2]) await restart(index, `${k1},${k2}`);
        for (const index of [0, 1]) await restart(index, `${k2},${k1}`);
        // Process 2 still encrypts with the old key: what it writes meanwhile is for the next time.
        first = await rotate(cluster, `${k2},${k1}`);
        await restart(2, `${k2},${k1}`);
        last = await rotate(cluster, `${k2},${k1}`);
      } finally {
        over = true;
      }
      await work;
      const rows = await cluster.query<{ under: string; count: number }>(
        'SELECT key_id AS under, count(*)::int AS count FROM tokens GROUP BY key_id',
      );
      // The old key is not needed any more: a process starts without it and reads.
      await restart(0, k2);
      const without = (await user.call(`/v1/probe/${ids[0]}/decryptions?reads=100`, { method: 'POST' })).body as { ok: number };
      return verdict(
        {
          'no read failed': counts.failed === 0 && counts.ok >= READS,
          'all under the new key': rows.length === 1 && rows[0]?.under === 'k2' && last.remaining === 0,
          'written meanwhile': counts.renewed > 0,
          'starts without the old key': without.ok === 100,
        },
        `${counts.failed} errors in ${counts.ok} reads, ${counts.renewed} tokens renewed meanwhile; rotated ${first.rotated}, then ${last.rotated}; under ${rows.map(({ under, count }) => `${under}: ${count}`).join(', ')}`,
      );
    });
  },
};

interface Rotation {
  readonly rotated: number;
  readonly remaining: number;
}

/** `npm run keys -- rotate` beside the running service. */
async function rotate(cluster: Trial['cluster'], keys: string): Promise<Rotation> {
  const child = spawn(
    process.execPath,
    ['-r', join(__dirname, '../../scripts/register-swc.cjs'), join(__dirname, '../../src/cli/keys.ts'), 'rotate', '--json'],
    {
      env: {
        ...process.env,
        NODE_ENV: 'test',
        SANDBOX: 'off',
        DATA_DIR: cluster.dataDir,
        DATABASE_URL: cluster.databaseUrl,
        API_JWT_SECRET: cluster.jwtSecret,
        ENCRYPTION_KEYS: keys,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  await once(child, 'close');
  return JSON.parse(out) as Rotation;
}
