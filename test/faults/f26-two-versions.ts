import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { startProcess } from '../support/child-process';
import { atEnd } from './lib/clean-up';
import type { Fault } from './lib/fault';
import { judge } from './lib/judge';
import { sleep } from './lib/waiting';
import { startWorld } from './lib/world';

const ROUNDS = 3;
const MIGRATORS = 3;
/** Until all of them are loaded. */
const LOAD_MS = 15_000;

export const fault: Fault = {
  id: 'F26',
  promise:
    'several migrators at once: one applies, none fails; a process that was there before a later migration works on beside newer ones',
  stages: ['server'],
  boundS: 300,
  async run(stage, services, { events }) {
    const server = services.databaseUrl ?? '';
    const rounds: string[] = [];
    let once = true;
    for (let round = 0; round < ROUNDS; round++) {
      const { said, applied } = await migrateAtOnce(server);
      rounds.push(said.join(', '));
      once &&= said.every((line) => /^done (\d+) of \1$/.test(line)) && applied.every(({ n }) => n === 1);
    }

    // A process of today's build on a schema that a later version has added to, beside one that is started afterwards.
    const world = await startWorld({ stage, services, processes: 2 });
    const { cluster } = world;
    const [older, newer] = cluster.members;
    const sending = world.send(events);
    await newer?.stop();
    for (const statement of LATER_VERSION) await cluster.query(statement);
    await newer?.start();
    await sending;
    const states = await Promise.all([older, newer].map((member) => fetch(`${member?.url}/health/ready`).then((answer) => answer.status)));
    await world.settled(90_000);
    const judged = await judge(world);
    const errors = [older, newer].flatMap((member) => member?.process.lines.filter((line) => /"level":(50|60)/.test(line)) ?? []);
    return {
      ok:
        once &&
        judged.ok &&
        judged.acknowledged.size === judged.sent.size &&
        states.every((status) => status === 200) &&
        errors.length === 0,
      seen:
        `${ROUNDS} empty databases with ${MIGRATORS} migrators at once: ${[...new Set(rounds)].join(' / ')} (migrations in the database of each), every migration recorded once: ${once}; ` +
        `tried as two versions: a process of this build that stays while later additions (a nullable column, one with a default, a table, an index) are made under load, and one started after them: ${judged.text}, ${errors.length} errors logged, ready ${states.join(' and ')}`,
    };
  },
};

/** What the rule "expand first, contract later" lets a later version do while this one still runs. */
const LATER_VERSION = [
  `SET lock_timeout = '5s'`,
  'ALTER TABLE webhook_events ADD COLUMN later_note text',
  `ALTER TABLE connections ADD COLUMN later_kind text NOT NULL DEFAULT 'ordinary'`,
  'CREATE TABLE later_things (id uuid PRIMARY KEY, connection_id uuid REFERENCES connections ON DELETE CASCADE)',
  'CREATE INDEX CONCURRENTLY later_index ON webhook_events (later_note)',
];

async function migrateAtOnce(server: string): Promise<{ said: string[]; applied: { n: number }[] }> {
  const name = `trestle_run_${randomUUID().replaceAll('-', '')}`;
  const admin = new Client({ connectionString: server });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  atEnd(async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.end();
  });
  const url = new URL(server);
  url.pathname = `/${name}`;
  const startAt = Date.now() + LOAD_MS;
  const migrators = Array.from({ length: MIGRATORS }, () =>
    startProcess(join(__dirname, 'lib/migrator.ts'), [JSON.stringify({ databaseUrl: url.href, startAt })]),
  );
  for (const migrator of migrators) atEnd(() => migrator.kill());
  const said = await Promise.all(migrators.map((migrator) => migrator.line((line) => /^(done|failed) /.test(line))));
  await sleep(100);
  const reader = new Client({ connectionString: url.href });
  await reader.connect();
  try {
    return { said, applied: (await reader.query<{ n: number }>('SELECT count(*)::int AS n FROM migrations GROUP BY name')).rows };
  } finally {
    await reader.end();
  }
}
