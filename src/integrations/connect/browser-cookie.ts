import { FLOW_LIFE_MS } from './connect.service';

/** Binds a flow to the browser that started it. `__Host-` keeps other hosts of the domain from setting it, but needs https. */
const nameOf = (secure: boolean) => (secure ? '__Host-trestle_connect' : 'trestle_connect');

/** Lax, not Strict: the provider's redirect back is a navigation from another site. */
export function flowCookie(value: string, publicUrl: string): string {
  const secure = publicUrl.startsWith('https:');
  return `${nameOf(secure)}=${value}; Path=/; Max-Age=${FLOW_LIFE_MS / 1_000}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}

/** @param cookies those of the request, as the edge has read them */
export function readFlowCookie(cookies: Readonly<Record<string, string | undefined>>, publicUrl: string): string | undefined {
  return cookies[nameOf(publicUrl.startsWith('https:'))];
}
