import { validate } from 'dockerfile-utils';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { environment } from '../src/config/env';
import '../src/integrations/jobs/wake-up/bull.wake-up';
import { metricsRegistry } from '../src/metrics';
import { PROVIDERS } from '../src/providers';
import { contextOf, runSettingsOf, stagesOf, type Stage } from './image/dockerfile';
import { startTestApp, type TestApp } from './support/test-app';

/** The grammar that Prometheus' own pages use; its types are those of a module of the other kind. */
interface PromqlParser {
  parse(expr: string): {
    iterate(spec: { enter(node: { type: { isError: boolean }; name: string; from: number; to: number }): void }): void;
  };
}
// eslint-disable-next-line @typescript-eslint/no-require-imports -- as above
const { parser } = require('@prometheus-io/lezer-promql') as { parser: PromqlParser };

const ROOT = join(__dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const SETTINGS = new Set(
  [environment.shape, ...PROVIDERS.map(({ settings }) => settings.variables)].flatMap((variables) => Object.keys(variables)),
);
/** From SIGTERM to the end, s: what the service promises. */
const STOPS_WITHIN_S = 25;
type Json = { [key: string]: Json } & { [index: number]: Json };

describe('the image', () => {
  const dockerfile = read('Dockerfile');
  const stages = stagesOf(dockerfile);
  const last = stages.at(-1) as Stage;

  it('is written as a Dockerfile is', () => {
    expect(validate(dockerfile).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  it('stands on a base of one version, is built in a stage of its own, and runs as nobody in particular', () => {
    expect(stages.map(({ base }) => base)).toEqual([expect.stringMatching(/^node:\d+\.\d+\.\d+-[\w-]+$/), stages[0]?.base]);
    expect(last.instructions.filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from=build'))).toEqual([]);
    const { user, env, command, healthcheck } = runSettingsOf(last);
    expect([user, command, healthcheck[0]]).toEqual(['1000:1000', ['node', 'dist/main.js'], 'node']);
    expect(Object.keys(env).filter((name) => !SETTINGS.has(name))).toEqual([]);
    expect(env).toMatchObject({ NODE_ENV: 'production', HOST: '0.0.0.0' });
  });

  it('is given what it is built of, and nothing else', () => {
    const context = contextOf(read('.dockerignore'));
    expect(context.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
    const copied = stages[0]?.instructions.filter(({ name }) => name === 'COPY').flatMap(({ text }) => text.split(' ').slice(0, -1));
    expect([...(copied ?? [])].sort()).toEqual([...context].sort());
  });
});

describe('compose.yaml', () => {
  const compose = parse(read('compose.yaml'), { merge: true }) as { services: Record<string, Json>; volumes: Json; networks: Json };
  const { api, worker, ...others } = compose.services as Record<string, Json>;

  it('has an API and workers of one image, with settings that there are, read-only and not root', () => {
    expect([api?.environment?.ROLE, worker?.environment?.ROLE, Object.keys(others).sort()]).toEqual([
      'api',
      'worker',
      ['postgres', 'proxy', 'redis'],
    ]);
    for (const service of [api, worker]) {
      expect(Object.keys(service?.environment ?? {}).filter((name) => !SETTINGS.has(name))).toEqual([]);
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], image: api?.image });
      expect(parseInt(String(service?.stop_grace_period))).toBeGreaterThan(STOPS_WITHIN_S);
    }
  });

  it('names images of one version, volumes, networks and files that there are, and opens the proxy alone', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      if (!['api', 'worker'].includes(name)) expect(String(service.image)).toMatch(/:\d+\.\d+/);
      expect(Object.keys(service).includes('ports')).toBe(name === 'proxy');
      for (const network of service.networks as unknown as string[]) expect(Object.keys(compose.networks)).toContain(network);
      for (const volume of (service.volumes ?? []) as unknown as string[]) {
        const [source = ''] = volume.split(':');
        expect([volume, source.startsWith('.') ? existsSync(join(ROOT, source)) : source in compose.volumes]).toEqual([volume, true]);
      }
    }
  });
});

describe('deploy/kubernetes', () => {
  const documents = readdirSync(join(ROOT, 'deploy/kubernetes')).flatMap((file) =>
    parseAllDocuments(read(`deploy/kubernetes/${file}`)).map((document) => document.toJS() as Json),
  );
  const byKind = (kind: string) => documents.filter((document) => String(document.kind) === kind);
  const pods = [...byKind('Deployment'), ...byKind('Job')].map((each) => each.spec?.template?.spec as Json);
  const containers = pods.flatMap((pod) => pod.containers as unknown as Json[]);

  it.each(
    documents.map((document) => [
      `${String(document.kind)} ${String(document.metadata?.name ?? document.metadata?.generateName)}`,
      document,
    ]),
  )('is as its schema says: %s', (_, document) => {
    const { apiVersion, kind } = document as unknown as { apiVersion: string; kind: string };
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- by the document's own kind
    const models = require(`kubernetes-models/${apiVersion}/${kind}`) as Record<string, new (data: unknown) => { validate(): void }>;
    new (models[kind] as new (data: unknown) => { validate(): void })(document).validate();
  });

  it('runs as nobody in particular, with settings that there are, and waits long enough for an end', () => {
    for (const pod of pods)
      expect(pod).toMatchObject({ securityContext: { runAsNonRoot: true, runAsUser: 1000 }, automountServiceAccountToken: false });
    for (const container of containers)
      expect(container.securityContext).toMatchObject({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
    for (const deployment of byKind('Deployment')) {
      const [container] = deployment.spec?.template?.spec?.containers as unknown as Json[];
      const before = Number(container?.lifecycle?.preStop?.exec?.command?.[1] ?? 0);
      expect(Number(deployment.spec?.template?.spec?.terminationGracePeriodSeconds)).toBeGreaterThanOrEqual(before + STOPS_WITHIN_S);
      expect(deployment.spec?.selector?.matchLabels).toEqual(deployment.spec?.template?.metadata?.labels);
    }
    const named = [
      ...containers.flatMap((container) => ((container.env ?? []) as unknown as { name: string }[]).map(({ name }) => name)),
      ...byKind('ConfigMap').flatMap(({ data }) => Object.keys(data as Json)),
      ...byKind('Secret').flatMap(({ stringData }) => Object.keys(stringData as Json)),
    ];
    expect(named.filter((name) => !SETTINGS.has(name))).toEqual([]);
  });
});

describe('deploy/systemd', () => {
  const unit = read('deploy/systemd/trestle@.service');

  it('starts the build in the foreground, in its role, and gives it time to end', () => {
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];
    expect([value('ExecStart'), value('KillSignal')]).toEqual(['/usr/bin/node dist/main.js', 'SIGTERM']);
    expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(STOPS_WITHIN_S);
    const settings = (value('Environment') ?? '').split(' ').map((pair) => pair.split('=')[0] as string);
    expect(settings.filter((name) => !SETTINGS.has(name))).toEqual([]);
  });
});

describe('what is watched', () => {
  interface Rule {
    readonly record?: string;
    readonly alert?: string;
    readonly expr: string;
    readonly annotations?: Record<string, string>;
  }
  const rules = (parse(read('deploy/prometheus/trestle.rules.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules,
  );
  const dashboard = JSON.parse(read('deploy/grafana/trestle.json')) as {
    panels: { id: number; title: string; gridPos: { h: number; w: number; x: number; y: number }; targets: { expr: string }[] }[];
  };
  let app: TestApp;
  let known: Map<string, readonly string[]>;
  beforeAll(async () => {
    app = await startTestApp({ sandbox: false });
    known = new Map([
      ['up', ['job', 'instance']],
      ...rules.flatMap(({ record }) => (record ? [[record, []] as const] : [])),
      ...metricNames(),
    ]);
  });
  afterAll(() => app.close());

  it.each([
    ...rules.map(({ record, alert, expr }) => [record ?? alert ?? '', expr] as const),
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [`panel "${title}"`, expr] as const)),
  ])('reads metrics and labels that there are: %s', (_, expr) => {
    const text = expr.replaceAll('$__rate_interval', '5m');
    const { faults, selectors } = selectorsOf(text);
    expect(faults).toEqual([]);
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, labels } of selectors) {
      expect([metric, known.has(metric)]).toEqual([metric, true]);
      const allowed = [...(known.get(metric) ?? []), 'job', 'instance'];
      expect([metric, labels.filter((label) => !allowed.includes(label))]).toEqual([metric, []]);
    }
  });

  it('says of each alert what to do, once', () => {
    const alerts = rules.filter(({ alert }) => alert);
    expect(alerts.filter(({ annotations }) => !annotations?.summary || !annotations.next)).toEqual([]);
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    const { rule_files } = parse(read('deploy/prometheus/prometheus.yaml')) as { rule_files: string[] };
    expect(rule_files.filter((file) => !existsSync(resolve(ROOT, dirname('deploy/prometheus/x'), file)))).toEqual([]);
  });

  it('lays no panel over another', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

/** What the registry gives, each with its labels; a histogram by the names of its series. */
function metricNames(): [string, readonly string[]][] {
  const metrics = metricsRegistry.getMetricsAsArray() as unknown as { name: string; labelNames: string[]; type: string }[];
  return metrics.flatMap(({ name, labelNames, type }) =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, [...labelNames, 'le']],
          [`${name}_sum`, labelNames],
          [`${name}_count`, labelNames],
        ]
      : [[name, labelNames]],
  );
}

/** Each selector of an expression with the labels that it, and what groups it, names. */
function selectorsOf(expr: string): { faults: string[]; selectors: { metric: string; labels: string[] }[] } {
  const faults: string[] = [];
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, name, from, to }) => {
      if (type.isError) faults.push(`at ${from}: ${expr.slice(from, from + 20)}`);
      if (name === 'Identifier') metrics.push(expr.slice(from, to));
      if (name === 'LabelName') labels.push(expr.slice(from, to));
    },
  });
  return { faults, selectors: metrics.map((metric) => ({ metric, labels })) };
}
