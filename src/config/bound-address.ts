import type { Settings } from './env';

/**
 * With port 0 the machine chooses the port: what is made of the address is completed here, once it is bound. Until then `publicUrl` is
 * empty, unless PUBLIC_URL says it.
 * @returns the origin under which this process is reached on its own machine
 */
export function completeAddress(settings: Settings, port: number): string {
  const origin = `http://${reachableHost(settings.host)}:${port}`;
  const late: { -readonly [Name in 'port' | 'publicUrl' | 'returnToOrigins']: Settings[Name] } = settings;
  late.port = port;
  if (settings.publicUrl === '') {
    late.publicUrl = origin + settings.basePath;
    late.returnToOrigins = [origin, ...settings.returnToOrigins];
  }
  return origin;
}

function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
