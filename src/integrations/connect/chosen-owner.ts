import { z } from 'zod';
import { IntegrationError } from '../../errors';
import { roleReaches } from '../../http-api';
import {
  assertMayManage,
  ownerOf,
  type Connection,
  type ConnectionPolicy,
  type ConnectionRepository,
  type ConnectionViewer,
} from '../connections';
import type { Provider } from '../contract';
import type { ConnectIntent } from './connect-flow.repository';

/** Whose a connection is to be, as a caller asks for it. */
export interface ChosenOwner {
  /** Default: the caller's own. */
  readonly owner?: 'user' | 'organization';
  /** Of an organization's connection only. */
  readonly policy?: Partial<ConnectionPolicy>;
}

const who = z.enum(['all', 'admins']);

export const policyBody = z
  .strictObject({ usedBy: who.optional(), managedBy: who.optional() })
  .refine(({ usedBy, managedBy }) => managedBy !== 'all' || usedBy !== 'admins', 'whoever manages a connection uses it too');

export const chosenOwner = { owner: z.enum(['user', 'organization']).optional(), policy: policyBody.optional() };

export type Whose = Pick<ConnectIntent, 'tenant' | 'userId' | 'owner' | 'policy'>;

/**
 * Whose the connection will be; and which one is connected anew, where it is said: that stays whose it is.
 * @throws IntegrationError `connection_not_found`, `forbidden`, `invalid_request`
 */
export async function ownershipOf(
  connections: ConnectionRepository,
  viewer: ConnectionViewer,
  { provider, connectionId, owner, policy }: ChosenOwner & { readonly provider: string; readonly connectionId?: string },
): Promise<Whose & { readonly old?: Connection }> {
  if (connectionId === undefined) {
    assertMayChoose(viewer, { owner, policy });
    return { tenant: viewer.tenant, userId: viewer.userId, owner: owner ?? 'user', policy };
  }
  const old = await connections.findFor(viewer, connectionId);
  if (old.provider !== provider) throw new IntegrationError('connection_not_found');
  assertMayManage(viewer, old);
  return { ...mendedFor(viewer, old, { owner, policy }), old };
}

/** An administrator makes the link for the user, and mends what is the organization's. */
function mendedFor(viewer: ConnectionViewer, old: Connection, { owner = ownerOf(old), policy }: ChosenOwner): Whose {
  if (owner !== ownerOf(old))
    throw new IntegrationError('invalid_request', { detail: 'owner: a connection that is connected anew stays whose it is.' });
  if (policy !== undefined) throw new IntegrationError('invalid_request', { detail: 'policy: it is changed by PATCH of the connection.' });
  if (owner === 'user') return { tenant: old.tenant, userId: old.userId, owner };
  if (viewer.tenant !== old.tenant)
    throw new IntegrationError('forbidden', {
      detail: 'A connection of an organization is connected anew by its own people.',
      nextStep: 'Ask an administrator of that organization.',
    });
  return { tenant: old.tenant, userId: viewer.userId, owner };
}

/** Of what the provider asks for, what a connection knows: a reconnect need not ask for it again. */
export function knownFields(
  { ask = {} }: Provider,
  { metadata = {} }: { readonly metadata?: Readonly<Record<string, unknown>> },
): Record<string, string> {
  const known = Object.keys(ask).filter((field) => typeof metadata[field] === 'string');
  return Object.fromEntries(known.map((field) => [field, metadata[field] as string]));
}

function assertMayChoose({ role, viaBrowserToken }: ConnectionViewer, { owner = 'user', policy }: ChosenOwner): void {
  if (owner === 'user' && policy !== undefined)
    throw new IntegrationError('invalid_request', { detail: 'policy: only a connection of the organization has one.' });
  if (owner === 'organization' && viaBrowserToken)
    throw new IntegrationError('forbidden', {
      detail: 'A browser token connects no account for the organization: it mends what is connected.',
      nextStep: 'Make this link in your backend, with a token of its own.',
    });
  if (owner === 'organization' && !roleReaches(role, 'admin'))
    throw new IntegrationError('forbidden', {
      detail: 'Only an administrator connects an account for the organization.',
      nextStep: 'Ask an administrator of your organization, or connect an account of your own.',
    });
}
