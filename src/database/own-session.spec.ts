import { cleanUp } from '../../test/faults/lib/clean-up';
import { OwnPgbouncer, type PoolMode } from '../../test/faults/lib/own-pgbouncer';
import { refuseSharedSessions } from './own-session';

const server = process.env['TEST_DATABASE_URL'] ?? '';

/** Undefined on a machine without PgBouncer: `npm run faults -- F32` says so. */
const behind = async (mode: PoolMode, roundRobin = false) =>
  (await OwnPgbouncer.start(server, mode, { poolSize: 5, roundRobin }))?.through(server);

(server ? describe : describe.skip)('A start on a Postgres server', () => {
  afterEach(cleanUp);

  it('takes a server itself', async () => {
    await expect(refuseSharedSessions(server)).resolves.toBeUndefined();
  });

  it('takes a pooler that keeps a session to one client', async () => {
    const url = await behind('session');
    if (url) await expect(refuseSharedSessions(url)).resolves.toBeUndefined();
  });

  it.each([
    ['transaction', false],
    ['transaction', true],
    ['statement', false],
  ] as const)('refuses a pooler of mode %s (in turn: %s) with what to set', async (mode, roundRobin) => {
    const url = await behind(mode, roundRobin);
    if (url) await expect(refuseSharedSessions(url)).rejects.toThrow(/DATABASE_URL: .*set pool_mode = session/);
  });
});
