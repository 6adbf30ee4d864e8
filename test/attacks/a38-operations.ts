import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reachable } from '../../bench/lib/services';
import { atEnd } from '../faults/lib/clean-up';
import { until } from '../faults/lib/waiting';
import { productUser } from '../support/product-user';
import { startCluster } from '../support/service-cluster';
import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { describedPaths } from './lib/described-paths';
import { ask, rawStatus } from './lib/request';
import { Trials } from './lib/trials';

const ROOT = join(__dirname, '../..');
const DEAD_WITHIN_MS = 5_000;

const deleted: Attack = {
  id: 'A38',
  expected: 'a deleted connection’s token in the memory of another process: dead within 5 s',
  boundS: 300,
  async run(arena) {
    const { databaseUrl, redisUrl } = await reachable();
    const alone = await aloneDead(arena);
    if (!databaseUrl || !redisUrl)
      return { ok: alone.ok ? null : false, seen: `two processes: not run, no Postgres and Redis here; within one: ${alone.seen}` };
    const trials = new Trials();
    trials.add('within one process', alone.ok === true, alone.seen);
    const cluster = await startCluster({ entry: join(ROOT, 'src/main.ts'), processes: 2, databaseUrl, redisUrl, env: arena.sandbox.env() });
    atEnd(() => cluster.stop());
    const user = await productUser(cluster, { tenant: 'deleted' });
    const id = await user.connect('slack');
    const use = (member: number) => user.call(`/v1/connections/${id}/proxy/team.info`, { member });
    for (const member of [0, 1]) trials.status(`in use in process ${member + 1}`, await use(member), 200);
    await user.call(`/v1/connections/${id}`, { method: 'DELETE' });
    const seq = arena.sandbox.control.lastSeq;
    const dead = await until(async () => (await use(1)).status >= 400, DEAD_WITHIN_MS, 50);
    trials.add(
      'the other process',
      dead !== undefined,
      dead === undefined ? 'still in use after 5 s' : `dead after ${Math.round(dead)} ms`,
    );
    const after = arena.sandbox.control
      .ledger({ kind: 'request', provider: 'slack', since: seq })
      .filter(({ endpoint, status }) => endpoint === 'team.info' && status === 200);
    trials.note(`${after.length} calls were still answered by the provider`);
    return trials.verdict();
  },
};

async function aloneDead(arena: Arena) {
  const trials = new Trials();
  const who = { tenant: 'deleted', user: 'ada' };
  const id = await arena.connect('slack', who, 'T_DELETED');
  const use = () => arena.service.as(who, `/v1/connections/${id}/proxy/team.info`);
  trials.status('in use', await use(), 200);
  trials.status('deleted', await arena.service.as(who, `/v1/connections/${id}`, { method: 'DELETE' }), 200);
  const seq = arena.sandbox.control.lastSeq;
  const answer = await use();
  trials.add('used again', answer.status >= 400, `${answer.status} ${answer.code}`);
  trials.add(
    'no call went out',
    !arena.sandbox.control.ledger({ kind: 'request', since: seq }).some(({ endpoint }) => endpoint === 'team.info'),
  );
  return trials.verdict();
}

const log: Attack = {
  id: 'A39',
  expected: 'line breaks and control characters in what is logged: one JSON line each; request ids are checked',
  async run(arena) {
    const trials = new Trials();
    const { url, lines } = arena.service;
    const from = lines.length;
    const mark = 'forged-by-attack';
    const bad = [
      'a b',
      'a"b',
      '{"level":60}',
      'a/b',
      '../x',
      'a'.repeat(65),
      'a;b',
      'a%0ab',
      '<script>',
      '${jndi:ldap://x}',
      '\u00e9',
      '',
      'a,b',
      '\t',
    ];
    for (const id of bad) {
      const answer = await ask(url, '/v1/connections', { headers: { 'x-request-id': id } });
      trials.add(
        `id ${JSON.stringify(id).slice(0, 30)}`,
        answer.headers['x-request-id'] !== id && /^[\w-]{1,64}$/.test(String(answer.headers['x-request-id'])),
        'replaced',
      );
    }
    const good = await ask(url, '/health/live', { headers: { 'x-request-id': 'fine-1' } });
    trials.add('a sound id is kept', good.headers['x-request-id'] === 'fine-1');
    const paths = [
      `/x%0a{"level":60,"msg":"${mark}"}`.replace(/"/g, '%22'),
      `/x%0d%0a${mark}`,
      `/webhooks/%0a${mark}`,
      `/connect/%0a${mark}?session=%0a${mark}`,
      `/auth/slack/callback?error=%0a${mark}&state=%0a`,
      `/v1/admin/health/%1b[31m${mark}`.replace('[', '%5b'),
    ];
    for (const path of paths) await ask(url, path);
    for (const header of ['user-agent', 'referer', 'x-forwarded-for', 'traceparent'])
      await ask(url, '/v1/connections', { headers: { [header]: `\u001b[31m"}${mark}`.replace('\u001b', '') } });
    await rawStatus(url, `GET /${mark}\u001b[31m HTTP/1.1\r\nhost: x\r\n\r\n`);
    await arena.service.as({}, '/v1/connect-sessions', { body: { provider: `slack\n{"level":60,"msg":"${mark}"}` } });
    await until(() => lines.length > from, 2_000);
    const said = lines.slice(from);
    const broken = said.filter((line) => !isJson(line));
    trials.add(
      'every line is JSON',
      broken.length === 0,
      `${said.length} lines, ${broken.length} of them no JSON${broken[0] ? `: ${broken[0].slice(0, 100)}` : ''}`,
    );
    const forged = said.filter((line) => isJson(line) && (JSON.parse(line) as { level?: unknown; msg?: unknown }).msg === mark);
    trials.add('no line is the attacker’s', forged.length === 0, `${forged.length} forged`);
    trials.add('addresses are not logged', !said.some((line) => line.includes(mark)), 'route templates only');
    // eslint-disable-next-line no-control-regex -- that is what is looked for
    trials.add('no control characters', !said.some((line) => /[\u0000-\u0008\u001b]/.test(line)));
    return trials.verdict();
  },
};

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}

const anonymous: Attack = {
  id: 'A40',
  expected: 'metrics, docs, queue board and stack traces in production, without signing in: no',
  async run(arena) {
    const trials = new Trials();
    const { url } = await arena.production();
    const paths = [
      '/metrics',
      '/docs',
      '/docs-json',
      '/docs-yaml',
      '/docs/try',
      '/docs/try.js',
      '/docs/swagger-ui.css',
      '/api',
      '/api-json',
      '/swagger',
      '/openapi.json',
      '/queues',
      '/admin/queues',
      '/bull',
      '/bull-board',
      '/admin',
      '/status',
      '/debug',
      '/debug/pprof',
      '/env',
      '/.env',
      '/.git/config',
      '/package.json',
      '/dist/main.js',
      '/actuator',
      '/graphql',
      '/ui/../package.json',
      '/ui/%2e%2e%2fpackage.json',
      '/faults/query',
      '/v1/probe/x/tokens',
    ];
    // The bound on refusals is the address's own: it is not what is tried here.
    const from = process.platform === 'linux' ? '127.0.0.120' : undefined;
    for (const path of paths) {
      const answer = await ask(url, path, { ...(from && { from }) });
      trials.add(path, [401, 403, 404].includes(answer.status), answer.status);
      trials.add(`${path}: no trace`, !/\n\s+at |node_modules|\/src\/|\.ts:\d/.test(answer.text));
    }
    for (const [name, request] of [
      ['broken JSON', { headers: { 'content-type': 'application/json' }, body: '{' }],
      ['a huge header', { headers: { 'x-a': 'a'.repeat(15_000) } }],
      ['a strange method', { method: 'PROPFIND' }],
    ] as const) {
      const answer = await ask(url, '/v1/connections', { ...request, ...(from && { from }) });
      trials.add(name, answer.status >= 400 && !/\n\s+at |node_modules|SyntaxError|position \d/.test(answer.text), answer.status);
    }
    const ready = await ask(url, '/health/ready');
    trials.add('readiness tells no addresses', !/postgres(ql)?:\/\/|redis:\/\/|\/tmp\/|password/i.test(ready.text), ready.status);
    const live = await ask(url, '/health/live');
    for (const header of ['server', 'x-powered-by', 'x-aspnet-version', 'via'])
      trials.add(`no ${header}`, live.headers[header] === undefined);
    trials.add('HSTS', String(live.headers['strict-transport-security']).includes('max-age='));
    return trials.verdict();
  },
};

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly os?: readonly string[];
  readonly hasInstallScript?: boolean;
}

const MOST_DIRECT = 40;

const supply: Attack = {
  id: 'A41',
  expected: 'lock file with integrity, few direct dependencies, install scripts named and not run, no known vulnerability',
  async run() {
    const trials = new Trials();
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, LockedPackage> };
    const locked = Object.entries(packages).filter(([path, each]) => path.includes('node_modules/') && !each.link);
    // npm leaves out the integrity of platform packages that it never fetched.
    const bare = locked.filter(([, each]) => !each.integrity && !(each.optional && each.os));
    trials.add('integrity', bare.length === 0, `${locked.length} packages, ${bare.length} without integrity`);
    // The lock file names no address: every package comes from the registry that the machine is set to.
    const elsewhere = locked.filter(([, { resolved }]) => resolved !== undefined);
    trials.add('one registry', elsewhere.length === 0, `${elsewhere.length} from elsewhere`);
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
    const direct = Object.keys(dependencies).length;
    trials.add('few direct dependencies', direct <= MOST_DIRECT, `${direct} direct`);
    const scripts = locked
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path, { dev }]) => path.replace(/^.*node_modules\//, '') + (dev ? ' (dev)' : ''));
    trials.note(`with install scripts: ${scripts.join(', ') || 'none'}`);
    const runner = readFileSync(join(ROOT, 'scripts/develop.mjs'), 'utf8');
    trials.add('install scripts are not run', /'ci'[^\]]*'--ignore-scripts'/.test(runner), 'installed with --ignore-scripts');
    const audit = await audited();
    if (audit === undefined) {
      const { seen, ok } = trials.verdict();
      return { ok: ok ? null : false, seen: `${seen}; npm audit: not run, the registry does not answer it` };
    }
    trials.add('npm audit', audit.high === 0, `npm audit: ${audit.text}`);
    return trials.verdict();
  },
};

async function audited(): Promise<{ high: number; text: string } | undefined> {
  const output = await new Promise<string>((resolve) =>
    execFile('npm', ['audit', '--omit=dev', '--json'], { cwd: ROOT, timeout: 60_000 }, (_, stdout) => resolve(stdout)),
  );
  try {
    const found = (JSON.parse(output) as { metadata?: { vulnerabilities?: Record<string, number> } }).metadata?.vulnerabilities;
    if (!found) return undefined;
    return {
      high: (found['high'] ?? 0) + (found['critical'] ?? 0),
      text: Object.entries(found)
        .map(([level, count]) => `${count} ${level}`)
        .join(', '),
    };
  } catch {
    return undefined;
  }
}

const streams: Attack = {
  id: 'A42',
  expected: 'event streams without signing in: 401; no route exports what a spreadsheet would run',
  async run(arena) {
    const trials = new Trials();
    const connection = await arena.connect('slack', { tenant: 'streams' });
    const path = `/v1/connections/${connection}/events`;
    const { url } = arena.service;
    const token = await arena.service.token({ tenant: 'streams' });
    for (const [name, target, headers] of [
      ['without', path, {}],
      ['with the token in the address', `${path}?token=${token}&access_token=${token}`, {}],
      [
        'as an EventSource of another site',
        path,
        { accept: 'text/event-stream', origin: 'https://evil.example', cookie: 'trestle_session=x' },
      ],
    ] as const) {
      const answer = await ask(url, target, { headers });
      trials.status(name, answer, 401);
      trials.add(`${name}: no other site may read it`, answer.headers['access-control-allow-origin'] === undefined);
    }
    trials.status('another tenant’s', await arena.service.as({ tenant: 'elsewhere' }, path), 404);
    const paths = describedPaths<unknown>();
    // Lines of JSON are no spreadsheet: nothing in them is run by being opened.
    const exporting = Object.entries(paths).filter(([each]) => /export|csv|xlsx|download/i.test(each));
    trials.add(
      'no exports but as lines of JSON',
      exporting.every(([, operations]) => JSON.stringify(operations).includes('application/x-ndjson')) &&
        !JSON.stringify(paths).includes('text/csv'),
      `${Object.keys(paths).length} routes described, ${exporting.length} export lines of JSON`,
    );
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [deleted, log, anonymous, supply, streams];
