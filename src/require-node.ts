import { nodeFault } from './node-version';

// The first import of every program: what an older Node cannot even read comes after it.
const fault = nodeFault();
if (fault !== undefined) {
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
