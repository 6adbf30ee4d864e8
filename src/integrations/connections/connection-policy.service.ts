import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { inTransaction } from '../../database';
import { IntegrationError } from '../../errors';
import { AuditLog } from '../audit';
import { ConnectionRepository } from './connection.repository';
import { ownerOf, type ConnectionPolicy, type ConnectionViewer } from './connection-access';

/** Who of an organization may use and manage its connections. */
@Injectable()
export class ConnectionPolicyService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly connections: ConnectionRepository,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What `policy` does not say stays. @throws IntegrationError `connection_not_found`, `forbidden`, `invalid_request` */
  async change(viewer: ConnectionViewer, id: string, policy: Partial<ConnectionPolicy>): Promise<void> {
    const old = await this.connections.findFor(viewer, id);
    if (ownerOf(old) === 'user')
      throw new IntegrationError('invalid_request', { detail: 'policy: only a connection of the organization has one.' });
    // Not those who manage it because the policy says so: they could give away more than they were given, or lock the others out.
    if (viewer.role === 'user' || viewer.role === 'support')
      throw new IntegrationError('forbidden', { nextStep: 'Ask an administrator of your organization.' });
    const { usedBy, managedBy } = { usedBy: old.usedBy, managedBy: old.managedBy, ...policy };
    if (usedBy === 'admins' && managedBy === 'all')
      throw new IntegrationError('invalid_request', { detail: 'policy: whoever manages a connection uses it too.' });
    await inTransaction(this.dataSource, async (runner) => {
      await this.connections.setPolicy(runner, id, policy, new Date(this.clock.now()));
      await this.audit.record({ action: 'connection.update', tenant: old.tenant, target: `connection:${id}` }, 'ok', { runner });
    });
  }
}
