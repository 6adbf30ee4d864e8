import { join } from 'node:path';
import { prepareDatabase } from '../src/database/connect-database';
import { createDatabase, dropDatabase, startCluster, type Cluster } from './support/service-cluster';
import { listenWithTls, makeAuthority, opensslIsThere, passOn, type Authority, type TlsListener } from './support/tls-listener';

const { TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl } = process.env;

if (!opensslIsThere()) console.warn('There is no openssl here: TLS to Postgres and Redis was not tried.');

(opensslIsThere() ? describe : describe.skip)('TLS', () => {
  let authority: Authority;
  const open: TlsListener[] = [];
  beforeAll(() => (authority = makeAuthority()));
  afterEach(async () => void (await Promise.all(open.splice(0).map((one) => one.close()))));
  afterAll(() => authority.remove());

  const listen = async (...args: Parameters<typeof listenWithTls>) => {
    const listener = await listenWithTls(...args);
    open.push(listener);
    return listener;
  };
  const toldBy = (url: string) =>
    prepareDatabase({ dataDir: '', databaseUrl: url }).then(
      () => 'nothing',
      (reason: Error) => reason.message,
    );

  it('asks the server for its certificate, and gives its password to none that is not the one of the address', async () => {
    const heard: string[] = [];
    // ErrorResponse 28P01: whoever gets that far was let through by TLS.
    const refuses = Buffer.from('E\0\0\0\x1dSFATAL\0C28P01\0Mnot you\0\0', 'latin1');
    refuses.writeInt32BE(refuses.length - 1, 1);
    const { port, secured } = await listen('postgres', authority, (socket) => {
      socket.on('data', (data) => heard.push(data.toString('latin1')));
      socket.once('data', () => socket.end(refuses));
    });
    const url = (host: string, query: string) => `postgres://ada:a-password@${host}:${port}/shop?${query}`;

    expect(await toldBy(url('localhost', 'sslmode=verify-full'))).toMatch(/DATABASE_URL: the certificate of the server is signed by/);
    expect(await toldBy(url('127.0.0.1', `sslmode=verify-full&sslrootcert=${authority.ca}`))).toMatch(
      /the certificate of the server is for another host name/,
    );
    expect(heard).toEqual([]);

    expect(await toldBy(url('localhost', `sslmode=verify-full&sslrootcert=${authority.ca}`))).toMatch(/refuses the password/);
    expect(secured()).toBeGreaterThan(0);
  }, 60_000);

  (databaseUrl && redisUrl ? describe : describe.skip)('to a server', () => {
    let cluster: Cluster | undefined;
    let own: string | undefined;
    afterEach(async () => {
      await cluster?.stop();
      if (own) await dropDatabase(databaseUrl as string, own);
    });

    it('carries everything that the service asks of Postgres and Redis', async () => {
      own = await createDatabase(databaseUrl as string);
      const postgres = new URL(own);
      const redis = new URL(redisUrl as string);
      const ofPostgres = await listen('postgres', authority, passOn(Number(postgres.port || 5432)));
      const ofRedis = await listen('redis', authority, passOn(Number(redis.port || 6379)));
      postgres.host = `localhost:${ofPostgres.port}`;
      postgres.search = new URLSearchParams({ sslmode: 'verify-full', sslrootcert: authority.ca }).toString();
      cluster = await startCluster({
        entry: join(__dirname, '../src/main.ts'),
        processes: 1,
        databaseUrl: own,
        ownDatabase: true,
        redisUrl,
        env: {
          DATABASE_URL: postgres.href,
          REDIS_URL: `rediss://localhost:${ofRedis.port}${redis.pathname}`,
          NODE_EXTRA_CA_CERTS: authority.ca,
        },
      });
      const ready = (await (await fetch(`${cluster.members[0]!.url}/health/ready`)).json()) as { status: string };
      expect(ready.status).toBe('ok');
      // The pool, the locks' own connections and what Bull and the limits hold: none of them went by without.
      expect(ofPostgres.secured()).toBeGreaterThan(2);
      expect(ofRedis.secured()).toBeGreaterThan(2);
    }, 240_000);
  });
});
