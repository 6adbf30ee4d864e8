import type { Arena } from './arena';
import { ask, type Answer, type Ask } from './request';

/** Refused tokens are bounded by address; each attack comes from an address of this machine's own where there are several. */
export function stranger(arena: Arena, host: number): (path: string, request?: Ask) => Promise<Answer> {
  const from = process.platform === 'linux' ? `127.0.0.${host}` : undefined;
  return (path, request = {}) => ask(arena.service.url, path, { ...request, ...(from && { from }) });
}
