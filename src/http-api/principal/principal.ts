export const ROLES = ['user', 'support', 'admin', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** What a browser token opens: what is the user's own, or what is the organization's as well. */
export type BrowserTokenReach = 'own' | 'organization';

/** Who is calling, as the verified token or the browser session says. There is no default tenant and nobody anonymous. */
export interface Principal {
  /** The organization. */
  readonly tenant: string;
  readonly userId: string;
  /** `user` sees its own, `support` its tenant's status and logs and can use nothing, `admin` its tenant's, `operator` everybody's and what belongs to no tenant. */
  readonly role: Role;
  /** Came with a browser token: opens a user's own connections, and those of the organization that the user may use where it says so. */
  readonly viaBrowserToken?: BrowserTokenReach;
}

/** A caller that came with a browser session. */
export interface SessionPrincipal extends Principal {
  /** For the hidden field `_csrf` of every form, or the header `X-CSRF-Token` of a script. */
  readonly csrfToken: string;
  /** Known to the browser only sealed in its cookie. */
  readonly sessionId: string;
}

/** `support` stands outside of the order: it reaches nothing but what is marked for it (`SupportMayRead`). */
const RANK: Readonly<Record<Role, number>> = { support: -1, user: 0, admin: 1, operator: 2 };

/** Whether `role` may do what `needed` may do. */
export function roleReaches(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}

/** The tenant that an administrator's lists are confined to; undefined for an operator, who sees all. */
export function visibleTenant(caller: Principal): string | undefined {
  return caller.role === 'operator' ? undefined : caller.tenant;
}
