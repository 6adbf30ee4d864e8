// The environment of the tests (`testEnvironment` in jest.config.js): jest's own for Node, made once for a process and kept for all test
// files that it runs. What a file changes of it is put back. Why: docs/decisions/0023-tests-keep-modules.md
const NodeEnvironment = require('jest-environment-node').default;

/** The one of this process, and what its globals and `process` were before the first test file. */
let kept;

class KeptEnvironment extends NodeEnvironment {
  constructor(config, context) {
    if (kept) return kept.environment;
    super(config, context);
    const { process } = this.global;
    kept = { environment: this, env: { ...process.env }, exit: process.exit, fetch: this.global.fetch };
  }

  // jest's own ends the environment
  async teardown() {
    const { process } = this.global;
    for (const name of Object.keys(process.env)) if (!(name in kept.env)) delete process.env[name];
    Object.assign(process.env, kept.env);
    process.exit = kept.exit; // jest wraps it for each file
    this.global.fetch = kept.fetch;
  }
}

module.exports = { __esModule: true, default: KeptEnvironment };
