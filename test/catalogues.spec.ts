import { DataSource } from 'typeorm';
import { metricsRegistry } from '../src/metrics';
import { logLines } from './support/log-catalogue';
import { startTestApp, type TestApp } from './support/test-app';
import { expectWritten } from './support/written-docs';

jest.setTimeout(120_000);

const HEADER = {
  metrics: `# Metrics

\`GET /metrics\` gives these in the text format of Prometheus, beside what [prom-client](https://github.com/siimon/prom-client#default-metrics) says of the process under Node's usual names (\`process_*\`, \`nodejs_*\`). Who may read them: [operations](operations.md). \`deploy/prometheus\` has rules for them, \`deploy/grafana\` a dashboard.

This page is made of the code.
`,
  logs: `# The log

One line of JSON each (\`LOG_LEVEL\`), with \`level\`, \`time\`, \`context\` (the part of the service), \`msg\`, within a request \`requestId\`, \`tenant\`, \`userId\` and \`role\`, and \`traceId\` where it is traced. Tokens, keys and secrets are taken out by their values, wherever they stand. What follows are the messages, \`…\` where something is put in; a request that fails is told by its route with the \`code\` of [the errors](errors.md).

This page is made of the code.
`,
};

interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames?: readonly string[];
}

/** Where the service has Postgres and Redis beside it alone, so that the page is the same wherever it is made. */
const ON_A_SERVER: readonly Described[] = [
  {
    name: 'trestle_database_connections',
    help: 'Connections of this process to the database: in use, idle, and who waits for one. On a server only.',
    type: 'gauge',
    labelNames: ['state'],
  },
  {
    name: 'trestle_wake_ups_lost_total',
    help: 'Wake-ups that Redis did not take; the sweeper makes up for them. With Redis only.',
    type: 'counter',
  },
];

describe('what the service has to tell whoever runs it', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({ settings: { METRICS_PUBLIC: 'true', WORKERS: 'false' } });
  });
  afterAll(() => app.close());

  it('docs/metrics.md lists every metric', async () => {
    const described = metricsRegistry.getMetricsAsArray() as unknown as Described[];
    const always = described.filter(({ name }) => name.startsWith('trestle_') && !ON_A_SERVER.some((each) => each.name === name));
    const rows = [...always, ...ON_A_SERVER]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(
        ({ name, type, labelNames = [], help }) =>
          `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
      );
    expect(rows.length).toBeGreaterThan(20);
    expectWritten('docs/metrics.md', () => `${HEADER.metrics}\n| metric | type | labels | says |\n|---|---|---|---|\n${rows.join('\n')}\n`);
  });

  it('the state of the service is read when they are asked for', async () => {
    const database = app.app.get(DataSource, { strict: false });
    await database.query(
      `INSERT INTO alerts (id, kind, key, severity, provider, state, title, detail, next_step) VALUES (gen_random_uuid(), 'test', 'k', 'warning', 'slack', 'open', 't', 'd', 'n')`,
    );
    await database.query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
       SELECT gen_random_uuid(), 'acme', 'u1', 'slack', 'T' || n, 'A', 'T' || n, 'oauth2', 'needs_reauth' FROM generate_series(1, 3) n`,
    );
    const text = await (await fetch(`${app.url}/metrics`)).text();
    expect(text).toContain('trestle_alerts_open{kind="test",provider="slack"} 1');
    expect(text).toMatch(/trestle_connections\{provider="slack",status="needs_reauth"\} 3/);
    expect(text).toMatch(/trestle_jobs_waiting\{kind="webhooks"\} 0/);
    expect(text).toMatch(/trestle_jobs_oldest_seconds\{kind="deliveries"\} 0/);
    expect(text).toMatch(/trestle_build_info\{version="\d+\.\d+\.\d+",node="v\d+/);
    expect(text).toMatch(/^process_resident_memory_bytes \d/m);
  });
});

it('docs/logs.md lists every message', () => {
  const lines = logLines();
  expect(lines.length).toBeGreaterThan(40);
  const escaped = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
  const rows = lines.map(
    ({ level, message, fields, file }) =>
      `| ${level} | ${escaped(message)} | ${fields.map((field) => `\`${field}\``).join(', ')} | \`${file}\` |`,
  );
  expectWritten(
    'docs/logs.md',
    () => `${HEADER.logs}\n| level | message | fields | in |\n|---|---|---|---|\n${[...new Set(rows)].join('\n')}\n`,
  );
});
