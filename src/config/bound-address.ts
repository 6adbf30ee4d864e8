import { prefixPath } from './base-path';
import type { Settings } from './env';
import { SettingsError } from './settings-error';

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

/**
 * Puts all of Trestle's addresses below a path; PUBLIC_URL may name it as well, and must not name another. The settings are completed in
 * place, as with a port that the machine chooses: whoever holds them already goes by them. Twice is once.
 */
export function putBelow<S extends Settings>(settings: S, prefix: string): S {
  const path = prefixPath(prefix);
  if (settings.basePath === path) return settings;
  if (settings.basePath !== '')
    throw new SettingsError([
      `PUBLIC_URL: its path is ${settings.basePath}, and the module's prefix is ${path || 'none'}; give both the same, or leave it out of PUBLIC_URL`,
    ]);
  const late: { -readonly [Name in 'basePath' | 'publicUrl']: Settings[Name] } = settings;
  late.basePath = path;
  if (settings.publicUrl !== '') late.publicUrl = settings.publicUrl + path;
  return settings;
}

function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
