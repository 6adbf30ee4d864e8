// The import rules of docs/architecture.md, proven by `npm run check`.
const core = (name) => `^src/integrations/${name}(/|\\.|$)`;
/** Lower in the list may be imported by higher, never the other way round. */
const LAYERS = [
  'notifications/outbox',
  'providers',
  'outbound',
  'connections',
  'connect',
  'sync',
  '(webhooks|operations|notifications)',
  '(monitoring|keys)',
];
/** Lies in a folder above, and may be imported from everywhere. */
const OUTBOX = core('notifications/outbox');
const SPECS = '\\.spec\\.ts$|/testing/';

const layerRules = LAYERS.map((layer, index) => ({
  name: `core-layer-${index + 1}-imports-downwards`,
  severity: 'error',
  from: { path: core(layer), pathNot: index === 0 ? SPECS : [SPECS, OUTBOX] },
  to: { path: LAYERS.slice(index + 1).map(core), pathNot: OUTBOX },
})).filter((rule) => rule.to.path.length > 0);

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...layerRules,
    {
      name: 'webhooks-operations-notifications-are-siblings',
      comment: 'They meet through what lies below them, not through each other.',
      severity: 'error',
      from: { path: '^src/integrations/(webhooks|operations|notifications)/', pathNot: SPECS },
      to: { path: '^src/integrations/(webhooks|operations|notifications)/', pathNot: '^src/integrations/($1|notifications/outbox)/' },
    },
    {
      name: 'nobody-imports-monitoring',
      severity: 'error',
      from: { pathNot: ['^src/integrations/monitoring/', '^src/integrations/(integrations\\.module|index)\\.ts$', SPECS] },
      to: { path: '^src/integrations/monitoring/' },
    },
    {
      name: 'jobs-import-no-sibling',
      severity: 'error',
      from: { path: '^src/integrations/jobs/', pathNot: SPECS },
      to: { path: '^src/integrations/', pathNot: '^src/integrations/jobs/' },
    },
    {
      name: 'figures-import-no-sibling',
      severity: 'error',
      from: { path: '^src/integrations/figures/', pathNot: SPECS },
      to: { path: '^src/integrations/', pathNot: '^src/integrations/figures/' },
    },
    {
      name: 'audit-imports-jobs-alone',
      severity: 'error',
      from: { path: '^src/integrations/audit/', pathNot: SPECS },
      to: { path: '^src/integrations/', pathNot: '^src/integrations/(audit|jobs)/' },
    },
    {
      name: 'the-contract-imports-errors-alone',
      severity: 'error',
      from: { path: '^src/integrations/contract(-records)?\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(errors|integrations/contract-records)\\.ts$' },
    },
    {
      name: 'database-and-config-lie-below',
      comment: 'The list of entities and the list of migrations name what the migrator needs before Nest starts.',
      severity: 'error',
      from: { path: '^src/(database|config)/', pathNot: [SPECS, '^src/database/(entities\\.ts|migrations/)'] },
      to: { path: '^src/(http-api|integrations)/' },
    },
    {
      name: 'pages-and-commands-are-leaves',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(ui|cli)/', '^src/app\\.module\\.ts$', SPECS] },
      to: { path: '^src/(ui|cli)/' },
    },
    {
      name: 'fixtures-are-for-tests',
      severity: 'error',
      from: { path: '^(src|sandbox|demo)/', pathNot: SPECS },
      to: { path: '(^|/)testing/|^(test|bench)/|\\.spec\\.ts$' },
    },
    {
      name: 'core-names-no-provider',
      severity: 'error',
      from: { path: '^src/(integrations|http-api|database|config)/', pathNot: SPECS },
      to: { path: '^(src/(providers|ui|app-handlers)|sandbox|demo)/' },
    },
    {
      name: 'outsiders-use-the-door',
      severity: 'error',
      from: { path: '^src/(providers|ui|app-handlers)/', pathNot: SPECS },
      to: { path: '^src/integrations/', pathNot: '^src/integrations/(index|contract)\\.ts$' },
    },
    {
      name: 'providers-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/providers/([^/]+)/' },
      to: { path: '^src/providers/', pathNot: '^src/providers/$1/' },
    },
    {
      name: 'http-api-imports-nothing-of-the-core',
      severity: 'error',
      from: { path: '^src/http-api/', pathNot: SPECS },
      to: { path: '^src/(integrations|providers|ui)/' },
    },
    {
      name: 'errors-and-clock-import-nothing',
      severity: 'error',
      from: { path: '^src/(errors|error-kinds|integration-error|clock)\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(error-kinds|integration-error)\\.ts$' },
    },
    {
      name: 'the-sandbox-stands-alone',
      severity: 'error',
      from: { path: '^sandbox/', pathNot: '^sandbox/plain/' },
      to: { path: '^(src|demo|test)/' },
    },
    {
      name: 'the-derived-sandbox-reads-declarations-only',
      comment: 'It is made of the same data, and of none of the code that it tries.',
      severity: 'error',
      from: { path: '^sandbox/plain/' },
      to: { path: '^(src|demo|test)/', pathNot: '^src/(providers/plain/|integrations/providers/plain/plain-provider\\.ts$)' },
    },
    {
      name: 'the-service-holds-neither-sandbox-nor-demo',
      severity: 'error',
      from: { path: '^src/', pathNot: SPECS },
      to: { path: '^(sandbox|demo)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
