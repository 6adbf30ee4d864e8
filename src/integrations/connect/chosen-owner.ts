import { z } from 'zod';
import { IntegrationError } from '../../errors';
import { roleReaches } from '../../http-api';
import type { ConnectionPolicy, ConnectionViewer } from '../connections';

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

/** @throws IntegrationError `forbidden` where somebody else than an administrator connects for the organization, `invalid_request` */
export function assertMayChoose({ role }: Pick<ConnectionViewer, 'role'>, { owner = 'user', policy }: ChosenOwner): void {
  if (owner === 'user' && policy !== undefined)
    throw new IntegrationError('invalid_request', { detail: 'policy: only a connection of the organization has one.' });
  if (owner === 'organization' && !roleReaches(role, 'admin'))
    throw new IntegrationError('forbidden', {
      detail: 'Only an administrator connects an account for the organization.',
      nextStep: 'Ask an administrator of your organization, or connect an account of your own.',
    });
}
