import { mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { readEnvironment, type Settings } from './config/env';
import { PROVIDER_SETTINGS } from './providers';

interface SandboxModule {
  startSandbox(options: { webhookTarget: string; stateFile: string }): Promise<{ env(): Record<string, string>; stop(): Promise<void> }>;
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
  stopSandbox(): Promise<void>;
}

/** The settings of this process; with the sandbox started, and its addresses among them, where it is to be used. */
export async function readServiceEnvironment(): Promise<ServiceEnvironment> {
  const read = readEnvironment(PROVIDER_SETTINGS);
  // Port 0 asks for a free one; the addresses that are made of it must be known before the start.
  const port = read.port === 0 ? { PORT: String(await freePort(read.host)) } : {};
  const settings = readEnvironment(PROVIDER_SETTINGS, port);
  if (!settings.useSandbox) return { settings, stopSandbox: async () => undefined };
  const folder = join(settings.dataDir, 'sandbox');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const sandbox = await sandboxModule().startSandbox({
    webhookTarget: `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${settings.port}`,
    stateFile: join(folder, 'state.json'),
  });
  // `on`: with the sandbox's credentials present, `auto` would read as off.
  return { settings: readEnvironment(PROVIDER_SETTINGS, { ...port, ...sandbox.env(), SANDBOX: 'on' }), stopSandbox: () => sandbox.stop() };
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
