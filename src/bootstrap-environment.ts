import { createServer, type AddressInfo } from 'node:net';
import { readEnvironment, type Settings } from './config/env';

export interface ServiceEnvironment {
  readonly settings: Settings;
  stopSandbox(): Promise<void>;
}

/** The settings of this process, with the sandbox's where it is to be used. */
export async function readServiceEnvironment(): Promise<ServiceEnvironment> {
  const read = readEnvironment();
  // Port 0 asks for a free one; the addresses that are made of it must be known before the start.
  const port = read.port === 0 ? { PORT: String(await freePort(read.host)) } : {};
  const settings = readEnvironment(port);
  return { settings, stopSandbox: async () => undefined };
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
