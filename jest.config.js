/** Everything but the fault table, and `test/kit` (what says whether the kit for providers holds, in minutes; `.ci/run` runs it). The tests in `test/browser` skip themselves, visibly, where there is no browser. */
const DECORATORS = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2022',
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
};

/** PGlite loads Node's modules by import(), which jest's sandbox lacks: turned into require(). */
const DYNAMIC_IMPORTS = { jsc: { parser: { syntax: 'ecmascript' }, target: 'es2022' }, module: { type: 'commonjs' } };

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: '<rootDir>/test/support/kept-environment.cjs',
  testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/sandbox/**/*.spec.ts', '<rootDir>/test/**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/faults/', '<rootDir>/test/kit/', '<rootDir>/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  runtime: '<rootDir>/test/support/kept-runtime.cjs',
  setupFiles: ['reflect-metadata'],
  setupFilesAfterEnv: ['<rootDir>/test/support/as-a-process-begins.ts', '<rootDir>/test/support/tests-as-service.ts'],
  globalSetup: '<rootDir>/test/global-setup.ts',
  globalTeardown: '<rootDir>/test/global-teardown.ts',
  transform: {
    '^.+\\.ts$': ['@swc/jest', DECORATORS],
    '/@electric-sql/pglite/dist/.+\\.c?js$': ['@swc/jest', DYNAMIC_IMPORTS],
  },
  transformIgnorePatterns: ['/node_modules/(?!@electric-sql/pglite/)'],
  maxWorkers: 2,
  testTimeout: 120_000,
};
