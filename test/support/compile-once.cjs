// The runtime of the tests (`runtime` in jest.config.js): jest's own, but that a process compiles a file once. Every test file still gets
// its own global object, and runs every module anew in it: only the code is common to them. Why: docs/decisions/0023-tests-compile-once.md
const { Script } = require('node:vm');
const JestRuntime = require('jest-runtime').default;

/** What this process has compiled, by file: the source that it was, and its code. */
const compiled = new Map();

class CompileOnceRuntime extends JestRuntime {
  constructor(config, environment, resolver, transformer, cacheFS, coverage, testPath, globalConfig) {
    super(config, environment, resolver, transformer, cacheFS, coverage, testPath, globalConfig);
    const { executor } = this;
    if (!executor?.compile || !executor.injectedModuleParameters)
      throw new Error(
        'This version of jest compiles elsewhere: mend test/support/compile-once.cjs, or take `runtime` out of jest.config.js.',
      );
    if (globalConfig.collectCoverage) return; // counts by the places of jest's own wrapper
    const head = `(function(${executor.injectedModuleParameters.join(',')}){`;
    const compileAnew = executor.compile.bind(executor);
    executor.compile = (source, file) => {
      const context = environment.getVmContext();
      // import() asks whoever compiled it where to find the module
      const script = context && !/\bimport\s*\(/.test(source) && scriptOf(file, source, head);
      return script ? script.runInContext(context) : compileAnew(source, file);
    };
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

module.exports = { __esModule: true, default: CompileOnceRuntime };
