import { SettingsError } from './settings-error';

/** Of segments that no router and no browser reads in another way. */
export function isPlainPath(path: string): boolean {
  return /^(\/[A-Za-z0-9._~-]+)*$/.test(path);
}

/** The path of an address, as what stands before every path below it: empty where it has none. */
export function basePathOf(address: string): string {
  return address === '' ? '' : new URL(address).pathname.replace(/\/+$/, '');
}

/** `/integrations` of `integrations/`. @throws SettingsError for what is no plain path */
export function prefixPath(prefix: string): string {
  const trimmed = prefix.replace(/^\/+|\/+$/g, '');
  const path = trimmed === '' ? '' : `/${trimmed}`;
  if (!isPlainPath(path))
    throw new SettingsError([`prefix: ${JSON.stringify(prefix)} is no path; give one of letters, digits, ".", "_", "~", "-" and "/"`]);
  return path;
}

/** What is behind the base path of a path with or without query; one that lies elsewhere stays as it is. */
export function withoutBase(basePath: string, path: string): string {
  if (basePath === '' || !path.startsWith(basePath)) return path;
  const rest = path.slice(basePath.length);
  if (rest === '' || rest.startsWith('?') || rest.startsWith('#')) return `/${rest}`;
  return rest.startsWith('/') ? rest : path;
}
