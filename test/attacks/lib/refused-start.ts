import { join } from 'node:path';
import { startProcess } from '../../support/child-process';
import { atEnd } from '../../faults/lib/clean-up';
import type { Trials } from './trials';

const MAIN = join(__dirname, '../../../src/main.ts');
const ENDS_WITHIN_MS = 90_000;

/** Starts the service with these settings, which it has to refuse: with a sentence that `names` them, no stack, and no key. */
export async function judgeStart(trials: Trials, name: string, env: Readonly<Record<string, string>>, names: RegExp): Promise<void> {
  const started = startProcess(MAIN, [], env);
  atEnd(() => started.kill());
  const code = await Promise.race([
    started.ended,
    new Promise<'still running'>((resolve) => setTimeout(() => resolve('still running'), ENDS_WITHIN_MS).unref()),
  ]);
  if (code === 'still running') await started.kill();
  const said = started.lines.join('\n');
  const keys = (env['ENCRYPTION_KEYS'] ?? '').split(/[:,]/).filter((part) => part.length > 20);
  const clear = names.test(said) && !/\n\s+at /.test(said) && said.split('\n').length <= 6;
  trials.add(name, code === 1 && clear, code === 1 && clear ? 'ended with a sentence' : `${code}: ${said.slice(0, 200)}`);
  trials.add(
    `${name}: no key is shown`,
    keys.every((key) => !said.includes(key)),
  );
}
