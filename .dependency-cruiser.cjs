// The import rules of docs/architecture.md, proven by `npm run check`.
const core = (name) => `^src/integrations/${name}(/|\\.|$)`;
/** Lower in the list may be imported by higher, never the other way round. */
const LAYERS = ['registry', 'connections', 'oauth', 'http', '(webhooks|sync|actions|outgoing)', 'health'];
const SPECS = '\\.spec\\.ts$|/testing/';

const layerRules = LAYERS.map((layer, index) => ({
  name: `core-layer-${index + 1}-imports-downwards`,
  severity: 'error',
  from: { path: core(layer), pathNot: SPECS },
  to: { path: LAYERS.slice(index + 1).map(core) },
})).filter((rule) => rule.to.path.length > 0);

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...layerRules,
    {
      name: 'webhooks-sync-actions-outgoing-are-siblings',
      comment: 'They meet through ports, not imports.',
      severity: 'error',
      from: { path: '^src/integrations/(webhooks|sync|actions|outgoing)/', pathNot: SPECS },
      to: { path: '^src/integrations/(webhooks|sync|actions|outgoing)/', pathNot: '^src/integrations/$1/' },
    },
    {
      name: 'nobody-imports-health',
      severity: 'error',
      from: { pathNot: ['^src/integrations/health/', '^src/integrations/(integrations\\.module|index)\\.ts$', SPECS] },
      to: { path: '^src/integrations/health/' },
    },
    {
      name: 'queue-imports-no-sibling',
      severity: 'error',
      from: { path: '^src/integrations/queue/', pathNot: SPECS },
      to: { path: '^src/integrations/', pathNot: '^src/integrations/queue/' },
    },
    {
      name: 'core-names-no-provider',
      severity: 'error',
      from: { path: '^src/(integrations|api|database|config)/', pathNot: SPECS },
      to: { path: '^src/(providers|sandbox|ui|app-handlers)/' },
    },
    {
      name: 'outsiders-use-the-door',
      severity: 'error',
      from: { path: '^src/(providers|ui|app-handlers)/', pathNot: SPECS },
      to: { path: '^src/integrations/', pathNot: '^src/integrations/(index|provider)\\.ts$' },
    },
    {
      name: 'providers-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/providers/([^/]+)/' },
      to: { path: '^src/providers/', pathNot: '^src/providers/$1/' },
    },
    {
      name: 'api-imports-nothing-of-the-core',
      severity: 'error',
      from: { path: '^src/api/', pathNot: SPECS },
      to: { path: '^src/(integrations|providers|ui)/' },
    },
    { name: 'errors-and-clock-import-nothing', severity: 'error', from: { path: '^src/(errors|clock)\\.ts$' }, to: { path: '^src/' } },
    {
      name: 'the-sandbox-stands-alone',
      severity: 'error',
      from: { path: '^src/sandbox/' },
      to: { path: '^src/', pathNot: '^src/sandbox/' },
    },
    {
      name: 'the-sandbox-is-started-in-one-place',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/sandbox/', '^src/(main|bootstrap[^/]*)\\.ts$', '^src/cli/', SPECS] },
      to: { path: '^src/sandbox/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
