import { IntegrationError } from '../../errors';

/** Of an organization's connection: which of its people. Whoever manages it uses it too. */
export interface ConnectionPolicy {
  /** Who sees and uses it. */
  readonly usedBy: 'all' | 'admins';
  /** Who ends it, connects it anew and changes this. */
  readonly managedBy: 'all' | 'admins';
}

export const DEFAULT_POLICY: ConnectionPolicy = { usedBy: 'all', managedBy: 'admins' };
export const STRICTEST_POLICY: ConnectionPolicy = { usedBy: 'admins', managedBy: 'admins' };

/** Who asks: a user sees its own and what the organization shares with it, support and admin those of its tenant, an operator all. */
export interface ConnectionViewer {
  readonly tenant: string;
  readonly userId: string;
  readonly role: 'user' | 'support' | 'admin' | 'operator';
  /** Sees what is its own or its organization's only, whatever the role. Default false. */
  readonly ownOnly?: boolean;
  /** Sees what is its own and nothing of its organization's (`own`), or both, as its role is to them (`organization`); whatever the role, nobody else's. */
  readonly viaBrowserToken?: 'own' | 'organization';
}

/** Whose a connection is. `userId` is empty where it is the organization's. */
export interface OwnedConnection {
  readonly tenant: string;
  readonly userId: string;
}

type SharedConnection = OwnedConnection & ConnectionPolicy;

export function ownerOf({ userId }: Pick<OwnedConnection, 'userId'>): 'user' | 'organization' {
  return userId === '' ? 'organization' : 'user';
}

/** Whether it is the caller's own, or that of its organization: what is done with anybody else's is recorded whatever it is. */
export function isOwn(caller: OwnedConnection, connection: OwnedConnection): boolean {
  return caller.tenant === connection.tenant && (connection.userId === '' || connection.userId === caller.userId);
}

function seesOwnOnly({ ownOnly, viaBrowserToken }: ConnectionViewer): boolean {
  return ownOnly === true || viaBrowserToken !== undefined;
}

export function maySee(viewer: ConnectionViewer, connection: SharedConnection): boolean {
  if (viewer.viaBrowserToken === 'own') return viewer.tenant === connection.tenant && viewer.userId === connection.userId;
  if (seesOwnOnly(viewer) && !isOwn(viewer, connection)) return false;
  if (viewer.role === 'operator') return true;
  if (viewer.tenant !== connection.tenant) return false;
  if (viewer.role !== 'user') return true;
  return ownerOf(connection) === 'organization' ? connection.usedBy === 'all' : connection.userId === viewer.userId;
}

/** The same as `maySee`, as a condition on `connections c`. `param` takes a value and gives its place, e.g. `$1`. */
export function visibleTo(viewer: ConnectionViewer, param: (value: unknown) => string): string[] {
  const { tenant, userId, role, viaBrowserToken } = viewer;
  const ownOnly = seesOwnOnly(viewer);
  if (viaBrowserToken === 'own') return [`c.tenant = ${param(tenant)}`, `c.user_id = ${param(userId)}`];
  const conditions: string[] = [];
  if (role !== 'operator' || ownOnly) conditions.push(`c.tenant = ${param(tenant)}`);
  const shared = role === 'user' ? `(c.user_id = '' AND c.used_by = 'all')` : `c.user_id = ''`;
  if (role === 'user' || ownOnly) conditions.push(`(c.user_id = ${param(userId)} OR ${shared})`);
  return conditions;
}

/** Whether the viewer may end it, connect it anew or change its policy. Of what it may see. */
export function mayManage(viewer: ConnectionViewer, connection: SharedConnection): boolean {
  if (viewer.role === 'support' || !maySee(viewer, connection)) return false;
  return viewer.role !== 'user' || ownerOf(connection) === 'user' || connection.managedBy === 'all';
}

/** @throws IntegrationError `forbidden` for one that the viewer may see, and no more */
export function assertMayManage(viewer: ConnectionViewer, connection: SharedConnection): void {
  if (mayManage(viewer, connection)) return;
  throw new IntegrationError('forbidden', {
    detail: 'This connection is your organization’s, and its administrators look after it.',
    nextStep: 'Ask an administrator of your organization.',
  });
}

/** What a script in a page holds is not enough to destroy what was synced. @throws IntegrationError `forbidden` */
export function assertMayPurge({ viaBrowserToken }: ConnectionViewer): void {
  if (!viaBrowserToken) return;
  throw new IntegrationError('forbidden', {
    detail: 'A browser token ends a connection, and destroys no records.',
    nextStep: 'Purge from your backend, with a token of its own.',
  });
}
