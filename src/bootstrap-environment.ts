import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readEnvironment, type Settings } from './config/env';
import { SettingsError } from './config/settings-error';
import { PROVIDER_SETTINGS } from './providers';

interface RunningSandbox {
  readonly urls: { readonly control: string };
  env(): Record<string, string>;
  setWebhookTarget(origin: string): void;
  stop(): Promise<void>;
}

interface SandboxModule {
  startSandbox(options: { stateFile: string }): Promise<RunningSandbox>;
}

/** The sandbox is no part of the production build: its sources lie beside it, and run as they stand. */
function sandboxModule(): SandboxModule {
  const root = dirname(__dirname);
  /* eslint-disable @typescript-eslint/no-require-imports -- by a path that the build must not follow */
  if (__filename.endsWith('.js')) require(join(root, 'scripts', 'register-swc.cjs'));
  return require(join(root, 'sandbox')) as SandboxModule;
  /* eslint-enable @typescript-eslint/no-require-imports */
}

export interface ServiceEnvironment {
  readonly settings: Settings;
  /** Started where it is to be used; it sends webhooks once it is told where to. */
  readonly sandbox?: RunningSandbox;
}

/** The settings of this process; with the sandbox started, and its addresses among them, where it is to be used. */
export async function readServiceEnvironment(): Promise<ServiceEnvironment> {
  const settings = readEnvironment(PROVIDER_SETTINGS);
  if (!settings.useSandbox) return { settings };
  const folder = join(settings.dataDir, 'sandbox');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const sandbox = await sandboxModule().startSandbox({ stateFile: join(folder, 'state.json') });
  const { sandboxOnly } = settings;
  try {
    // `on`: with the sandbox's credentials present, `auto` would read as off.
    const env = sandboxOnly ? envOf(sandboxOnly, sandbox.env()) : { ...sandbox.env(), SANDBOX: 'on' };
    return { settings: { ...readEnvironment(PROVIDER_SETTINGS, env), sandboxPage: `${sandbox.urls.control}/page` }, sandbox };
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
}

/** Of these providers alone; the others keep what the environment says. */
function envOf(names: readonly string[], env: Readonly<Record<string, string>>): Record<string, string> {
  const variablesOf = (name: string) =>
    Object.entries(env).filter(([variable]) => variable.startsWith(`${name.toUpperCase().replaceAll('-', '_')}_`));
  const missing = names.filter((name) => variablesOf(name).length === 0);
  if (missing.length > 0)
    throw new SettingsError([
      `SANDBOX: it has no ${missing.join(', ')}; leave ${missing.length > 1 ? 'them' : 'it'} out, or set real credentials`,
    ]);
  return Object.fromEntries(names.flatMap(variablesOf));
}
