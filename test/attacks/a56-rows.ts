import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { withDatabase } from '../support/service-cluster';
import type { Arena } from './lib/arena';
import type { Attack } from './lib/attack';
import type { Instance, Who } from './lib/instance';
import { ask, type Answer } from './lib/request';
import { Trials } from './lib/trials';
import { Visitor } from './lib/visitor';

const OWNER: Who = { tenant: 'rows', user: 'ada' };
const EVE: Who = { tenant: 'rows', user: 'eve' };
const ACCOUNTS = ['T_ROWS', 'T_ROWS_EVE', 'acct_rowsrenamed'];

/** Works on the database with the service stopped, so that the embedded one can be opened as well. */
async function inDatabase<T>(service: Instance, work: () => Promise<T>): Promise<T> {
  const [member] = service.cluster.members;
  await member?.stop();
  try {
    return await work();
  } finally {
    await member?.start();
  }
}

const written: Attack = {
  id: 'A56',
  expected:
    'rows written into the database (a session, a connect session, an OAuth state, a ciphertext moved, another user’s id): they open nothing',
  last: true,
  boundS: 300,
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const id = await arena.connect('slack', OWNER, 'T_ROWS', service);
    const eves = await arena.connect('slack', EVE, 'T_ROWS_EVE', service);
    const renamed = await arena.connect('stripe', OWNER, 'acct_rowsrenamed', service);
    const session = randomBytes(32).toString('base64url');
    const { query } = service.cluster;
    const hash = createHash('sha256').update(session).digest('hex');
    const flows = await underWay(arena, service);
    await inDatabase(service, async () => {
      await query(
        `INSERT INTO browser_sessions (id_hash, tenant, user_id, expires_at) VALUES ($1, 'rows', 'ada', now() + interval '1 hour')`,
        [hash],
      );
      // Eve's connection with the owner's secrets, and a connection that is said to be Eve's.
      await moveSecrets(service, id, eves);
      await query(`UPDATE connections SET user_id = 'eve' WHERE id = $1`, [renamed]);
      await quieten(service, [id, eves, renamed]);
      for (const { rewrite } of flows) await rewrite();
    });
    const exchanged = arena.sandbox.control.lastSeq;
    for (const { name, open, refused } of flows) trials.status(name, await open(), refused);
    const codes = arena.sandbox.control
      .ledger({ kind: 'request', since: exchanged })
      .filter(({ endpoint }) => endpoint === 'oauth.v2.access');
    trials.add('no code was exchanged for what was rewritten', codes.length === 0, `${codes.length} exchanges`);
    const gained = (await service.as(EVE, '/v1/connections')).json as { data: { accountId: string }[] };
    trials.add('nothing of it is connected', !JSON.stringify(gained).includes('T_ROWS_LINK'), `${gained.data.length} connections of hers`);
    for (const cookie of [
      session,
      `v1.${session}`,
      Buffer.from(JSON.stringify({ id: session, tenant: 'rows', userId: 'ada', role: 'operator' })).toString('base64url'),
    ])
      for (const path of ['/settings/integrations', '/admin'])
        trials.status(
          `${path} with a session that was written`,
          await ask(service.url, path, { headers: { cookie: `__Host-trestle_session=${cookie}` } }),
          401,
        );
    trials.status('as a sign-in code', await new Visitor().go(`${service.url}/session?code=${session}`), 401);
    const seq = arena.sandbox.control.lastSeq;
    const used = await service.as(EVE, `/v1/connections/${eves}/slack/channels`);
    trials.add('secrets that were moved', used.status >= 400, `${used.status} ${used.code}`);
    for (const path of ['proxy/v1/products', 'records/customers', 'operations', 'syncs'])
      trials.status(`a connection under another user’s id: ${path}`, await service.as(EVE, `/v1/connections/${renamed}/${path}`), 503);
    const ended = await service.as(EVE, `/v1/connections/${renamed}`, { method: 'DELETE' });
    trials.status('a connection under another user’s id, disconnected', ended, 503);
    // Others' connections sync meanwhile; these three do not.
    const sent = arena.sandbox.control.ledger({ kind: 'request', since: seq }).filter(({ account }) => ACCOUNTS.includes(account ?? ''));
    trials.add('nothing went out', sent.length === 0, sent.map(({ endpoint }) => endpoint).join());
    trials.status('the owner’s still works', await service.as(OWNER, `/v1/connections/${id}/slack/channels`), 200);
    return trials.verdict();
  },
};

interface UnderWay {
  readonly name: string;
  /** Makes it somebody else's, in the database. */
  rewrite(): Promise<unknown>;
  open(): Promise<Answer>;
  readonly refused: number;
}

/** Links and consents of the owner that are rewritten to Eve, whose connection they would make; and a link that was written whole. */
async function underWay(arena: Arena, service: Instance): Promise<UnderWay[]> {
  const hashOf = (secret: string | null) =>
    createHash('sha256')
      .update(secret ?? '')
      .digest('base64url');
  const flows: UnderWay[] = [];
  for (const change of [
    `user_id = 'eve'`,
    `tenant = 'rows-eve'`,
    `owner = 'organization'`,
    `return_to = '/elsewhere'`,
    `user_id = 'eve', seal = NULL`,
  ]) {
    const session = await service.as(OWNER, '/v1/connect-sessions', { body: { provider: 'slack' } });
    const { connectUrl } = session.json as { connectUrl: string };
    flows.push({
      name: `a connect session with ${change}`,
      rewrite: () =>
        rewritten(
          service,
          `UPDATE connect_sessions SET ${change} WHERE token_hash = $1`,
          hashOf(new URL(connectUrl).searchParams.get('session')),
        ),
      open: () => new Visitor().pressConnect(connectUrl),
      refused: 401,
    });
    const visitor = new Visitor();
    const { authorizeUrl } = await arena.begin('slack', visitor, OWNER, {}, service);
    authorizeUrl.searchParams.set('team', 'T_ROWS_LINK');
    const callback = (await visitor.go(authorizeUrl.href)).location ?? '';
    flows.push({
      name: `an OAuth state with ${change}`,
      rewrite: () =>
        rewritten(service, `UPDATE oauth_states SET ${change} WHERE state_hash = $1`, hashOf(new URL(callback).searchParams.get('state'))),
      open: () => visitor.go(callback),
      refused: 400,
    });
  }
  const token = randomBytes(32).toString('base64url');
  flows.push({
    name: 'a connect session that was written',
    rewrite: () =>
      rewritten(
        service,
        `INSERT INTO connect_sessions (token_hash, tenant, user_id, owner, provider, expires_at) VALUES ($1, 'rows', 'ada', 'user', 'slack', now() + interval '9 minutes')`,
        hashOf(token),
      ),
    open: () => new Visitor().pressConnect(`${service.url}/connect/slack?session=${token}`),
    refused: 401,
  });
  return flows;
}

async function rewritten({ cluster: { query } }: Instance, statement: string, hash: string): Promise<void> {
  const rows = await query(`WITH written AS (${statement} RETURNING 1) SELECT * FROM written`, [hash]);
  if (rows.length !== 1) throw new Error(`${statement} wrote ${rows.length} rows.`);
}

/** From now on nothing asks their providers but what is tried. */
async function quieten({ cluster: { query } }: Instance, connections: readonly string[]): Promise<void> {
  await query('DELETE FROM sync_runs WHERE connection_id = ANY ($1::uuid[])', [connections]);
  await query(
    `UPDATE sync_schedules SET next_incremental_at = now() + interval '1 day', next_full_at = now() + interval '1 day', next_due_at = now() + interval '1 day'
     WHERE connection_id = ANY ($1::uuid[])`,
    [connections],
  );
}

/** The ciphertexts of one connection's tokens in the rows of another's. */
async function moveSecrets({ cluster: { query } }: Instance, from: string, to: string): Promise<void> {
  const tokens = (connection: string) =>
    query<{ id: string; access_token: string; refresh_token: string | null }>(
      'SELECT t.* FROM tokens t WHERE t.connection_id = $1 OR t.grant_id = (SELECT grant_id FROM connections WHERE id = $1) ORDER BY t.kind',
      [connection],
    );
  const [source] = await tokens(from);
  const targets = await tokens(to);
  if (!source || targets.length === 0) throw new Error('There are no tokens to move.');
  for (const { id } of targets)
    await query('UPDATE tokens SET access_token = $2, refresh_token = $3 WHERE id = $1', [id, source.access_token, source.refresh_token]);
}

const forgotten: Attack = {
  id: 'A68',
  expected: 'a query that forgets its organization, as callers’ queries run: no rows of anybody else',
  last: true,
  boundS: 300,
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    await arena.connect('slack', OWNER, 'T_ROWS', service);
    await arena.connect('stripe', { tenant: 'rows-b', user: 'bob' }, 'acct_rowsb', service);
    await inDatabase(service, () =>
      withDatabase(
        { dataDir: service.cluster.dataDir, ...(service.cluster.databaseUrl && { databaseUrl: service.cluster.databaseUrl }) },
        async (database) => {
          const locked = await database.query<{ name: string }[]>(
            `SELECT c.relname AS name FROM pg_class c WHERE c.relrowsecurity AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
             AND has_table_privilege('trestle_caller', c.oid, 'SELECT') ORDER BY 1`,
          );
          trials.add('tables under row-level security', locked.length >= 5, `${locked.length} tables that callers read`);
          for (const { name } of locked)
            await database.transaction(async (manager) => {
              await manager.query(`SET LOCAL ROLE trestle_caller`);
              const [none] = await manager.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${name}`);
              trials.add(`${name} without an organization`, none?.n === 0, 'no rows');
              await manager.query(`SELECT set_config('trestle.tenant', 'nobody-at-all', true)`);
              const [others] = await manager.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${name}`);
              trials.add(`${name} for another`, others?.n === 0, 'no rows');
            });
          await database.transaction(async (manager) => {
            await manager.query(`SET LOCAL ROLE trestle_caller`);
            await manager.query(`SELECT set_config('trestle.tenant', 'rows', true)`);
            const tenants = await manager.query<{ tenant: string }[]>(`SELECT DISTINCT tenant FROM connections`);
            trials.add(
              'an organization sees its own',
              tenants.length === 1 && tenants[0]?.tenant === 'rows',
              tenants.map(({ tenant }) => tenant).join(),
            );
          });
          for (const organization of ['', 'rows-b'])
            for (const sql of ['UPDATE connections SET status = status RETURNING tenant', 'DELETE FROM connections RETURNING tenant']) {
              const { changed } = await asCaller(database, organization, sql);
              const others = (changed ?? []).filter(({ tenant }) => tenant !== organization); // refused is well as it is: it changed nothing
              trials.add(`${sql} for '${organization}'`, others.length === 0, `${changed?.length ?? 'no'} rows of its own`);
            }
          for (const sql of [`UPDATE connections SET tenant = 'rows'`, 'SELECT id FROM tokens', 'SELECT id FROM grants']) {
            const { refused } = await asCaller(database, 'rows-b', sql);
            trials.add(sql, refused !== undefined, refused ?? 'done');
          }
        },
      ),
    );
    return trials.verdict();
  },
};

/** What a statement of the caller would change, or why it is refused. Nothing of it stays. */
async function asCaller(
  database: DataSource,
  organization: string,
  sql: string,
): Promise<{ changed?: readonly { tenant: string }[]; refused?: string }> {
  const runner = database.createQueryRunner();
  try {
    await runner.startTransaction();
    await runner.query(`SET LOCAL ROLE trestle_caller`);
    await runner.query(`SELECT set_config('trestle.tenant', $1, true)`, [organization]);
    const [changed] = (await runner.query(sql)) as [{ tenant: string }[], number];
    return { changed };
  } catch (error) {
    return { refused: /row-level security|permission denied/.exec(String(error))?.[0] };
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

const THREATS = join(__dirname, '../../docs/security.md');

const codeless: Attack = {
  id: 'A63',
  expected: 'the code of another flow at providers without PKCE: refused where the provider allows it, named in the threat model where not',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const threats = await readFile(THREATS, 'utf8');
    trials.add('named in the threat model', /stolen code/i.test(threats) && /without PKCE/i.test(threats), 'docs/security.md');
    for (const provider of ['slack', 'stripe', 'google'] as const) {
      const victim = new Visitor();
      const begun = await arena.begin(provider, victim, { tenant: `code-victim-${provider}` }, {}, service);
      const code = new URL((await victim.go(begun.authorizeUrl.href)).location ?? '').searchParams.get('code') ?? '';
      const who: Who = { tenant: `code-thief-${provider}`, user: 'mallory' };
      const thief = new Visitor();
      const own = await arena.begin(provider, thief, who, {}, service);
      const callback = new URL((await thief.go(own.authorizeUrl.href)).location ?? '');
      callback.searchParams.set('code', code);
      const landed = await thief.go(callback.href);
      const taken = (landed.location ?? '').includes('success=');
      const pkce = own.authorizeUrl.searchParams.has('code_challenge');
      trials.add(
        `${provider} ${pkce ? 'with' : 'without'} PKCE`,
        pkce ? !taken : true,
        `${provider} ${pkce ? 'refuses by PKCE' : taken ? 'takes it: named' : 'refuses'}`,
      );
    }
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [written, forgotten, codeless];
