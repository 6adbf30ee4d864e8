import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { homedir } from 'node:os';
import { makeRoot, runIn } from './container';
import { contextOf, runSettingsOf, stagesOf, type RunSettings, type Stage } from './dockerfile';

export interface Image {
  readonly root: string;
  readonly run: RunSettings;
}

/** Instructions that say how a container is run, or nothing that a folder could hold. */
const SAID = new Set(['ENV', 'USER', 'EXPOSE', 'STOPSIGNAL', 'HEALTHCHECK', 'CMD', 'WORKDIR']);

/**
 * Performs the steps of a Dockerfile, each stage in a folder of its own that is its `/`: with the machine's Node in place of the base image's.
 * @param source folder with what `.dockerignore` lets in
 * @param recipe folder with Dockerfile and .dockerignore
 */
export function buildImage(folder: string, { source, recipe }: { source: string; recipe: string }): Image {
  const context = join(folder, 'context');
  for (const name of contextOf(readFileSync(join(recipe, '.dockerignore'), 'utf8')))
    if (existsSync(join(source, name))) cpSync(join(source, name), join(context, name), { recursive: true });
  const stages = stagesOf(readFileSync(join(recipe, 'Dockerfile'), 'utf8'));
  const roots = new Map<string, string>();
  for (const stage of stages) {
    const root = join(folder, `stage-${stage.name}`);
    mkdirSync(root, { recursive: true });
    makeRoot(root);
    roots.set(stage.name, root);
    perform(stage, { root, sourceOf: (from) => (from === undefined ? context : (roots.get(from) as string)) });
  }
  const last = stages.at(-1) as Stage;
  return { root: roots.get(last.name) as string, run: runSettingsOf(last) };
}

function perform({ instructions }: Stage, { root, sourceOf }: { root: string; sourceOf: (stage?: string) => string }): void {
  const env: Record<string, string> = {};
  let workdir = '/';
  for (const { name, text } of instructions) {
    process.stderr.write(`    ${name} ${text.slice(0, 100)}\n`);
    if (name === 'WORKDIR') mkdirSync(join(root, (workdir = posix.resolve(workdir, text))), { recursive: true });
    else if (name === 'COPY') copy(text, { into: join(root, workdir), sourceOf });
    else if (name === 'RUN') runIn({ root, env: { ...env, HOME: homedir() }, workdir, lent: [homedir()] }, ['/bin/sh', '-c', text]);
    else if (!SAID.has(name)) throw new Error(`the check does not know how to do ${name}`);
  }
}

function copy(text: string, { into, sourceOf }: { into: string; sourceOf: (stage?: string) => string }): void {
  const words = text.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  if (words.some((word) => word.startsWith('--') && !word.startsWith('--from=')))
    throw new Error(`the check does not know how to do COPY ${text}`);
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = paths.pop() as string;
  for (const path of paths) {
    const found = join(sourceOf(from), path);
    // Of a folder its content is copied, of a file the file.
    const name = target.endsWith('/') && statSync(found).isFile() ? basename(path) : '';
    cpSync(found, join(into, target, name), { recursive: true, verbatimSymlinks: true });
  }
}
