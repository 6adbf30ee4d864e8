// The runtime of the tests (`runtime` in jest.config.js): jest's own, but that a process runs a module of the product or of a library once
// and keeps it for the test files that follow. Spec files and what lies in test/ run anew for each file.
// Why, and what a test must not leave behind: docs/decisions/0023-tests-keep-modules.md
const { join, sep } = require('node:path');
const { Script } = require('node:vm');
const JestRuntime = require('jest-runtime').default;

const TESTS = join(__dirname, '..') + sep;
const isKept = (file) => !file.startsWith(TESTS) && !file.endsWith('.spec.ts');

/** The modules of this process, by file. */
const kept = new Map();
/** What this process has compiled, by file: the source that it was, and its code. */
const compiled = new Map();
/** That of the test file that runs now: what a kept module asks for later is asked of it. */
let current;

/** jest's registry of a test file, before which stands that of the process. */
class Registry extends Map {
  get(file) {
    return isKept(file) ? kept.get(file) : super.get(file);
  }
  has(file) {
    return isKept(file) ? kept.has(file) : super.has(file);
  }
  set(file, module) {
    if (!isKept(file)) return super.set(file, module);
    kept.set(file, module);
    return this;
  }
  delete(file) {
    return isKept(file) ? kept.delete(file) : super.delete(file);
  }
}

class KeptRuntime extends JestRuntime {
  constructor(config, environment, resolver, transformer, cacheFS, coverage, testPath, globalConfig) {
    super(config, environment, resolver, transformer, cacheFS, coverage, testPath, globalConfig);
    const { executor, registries } = this;
    if (!executor?.compile || !executor.injectedModuleParameters || !(registries?.moduleRegistry instanceof Map))
      throw new Error(
        'This version of jest keeps its modules elsewhere: mend test/support/kept-runtime.cjs, or take `runtime` and `testEnvironment` out of jest.config.js.',
      );
    current = this;
    registries.moduleRegistry = new Registry();
    const head = `(function(${executor.injectedModuleParameters.join(',')}){`;
    const compileAnew = executor.compile.bind(executor);
    executor.compile = (source, file) => {
      const context = environment.getVmContext();
      // import() asks whoever compiled it where to find the module
      const script = context && !/\bimport\s*\(/.test(source) && scriptOf(file, source, head);
      return script ? script.runInContext(context) : compileAnew(source, file);
    };
  }

  requireModuleOrMock(from, name) {
    return current === this ? super.requireModuleOrMock(from, name) : current.requireModuleOrMock(from, name);
  }
}

/** Undefined for what cannot be compiled: jest says what is wrong with it. Lines and columns are those of the file. */
function scriptOf(file, source, head) {
  const known = compiled.get(file);
  if (known?.source === source) return known.script;
  try {
    const script = new Script(`${head}${source}\n})`, { filename: file, columnOffset: -head.length });
    compiled.set(file, { source, script });
    return script;
  } catch {
    return undefined;
  }
}

module.exports = { __esModule: true, default: KeptRuntime };
