import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { DataSource, IsNull, LessThan, type Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../../clock';
import { DATABASE, asTenant } from '../../../database';
import { IntegrationError } from '../../../errors';
import { tenantInHand, type Principal } from '../../../http-api';
import { AuditLog } from '../../audit';
import { ConnectionRepository } from '../../connections';
import { RecordShapes } from '../records/record-shapes';
import { MappingEvaluator } from './mapping-evaluator';
import { ADD_VERSION, END_AT, SAMPLE } from './mapping.queries';
import { RecordMappingEntity } from './record-mapping.entity';

/** Where a mapping holds: of all connections of the organization to a provider, or of one. */
export interface MappingPlace {
  readonly provider: string;
  readonly resource: string;
  readonly connectionId?: string;
}

export interface Previewed {
  readonly connectionId: string;
  readonly recordId: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly mappingError?: string;
}

export interface MappingFilter {
  readonly tenant?: string;
  readonly provider?: string;
  readonly resource?: string;
  readonly connectionId?: string;
  /** Those that have ended as well. */
  readonly ended: boolean;
  /** Older than this one. */
  readonly before?: string;
  readonly limit: number;
}

/** What an organization makes of records, by data. Each setting is a new version; the old ones stay to be read. */
@Injectable()
export class MappingService {
  constructor(
    private readonly dataSource: DataSource,
    @InjectRepository(RecordMappingEntity, DATABASE) private readonly mappings: Repository<RecordMappingEntity>,
    private readonly connections: ConnectionRepository,
    private readonly shapes: RecordShapes,
    private readonly evaluator: MappingEvaluator,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws IntegrationError `invalid_request`, `connection_not_found` */
  async set(caller: Principal, place: MappingPlace, expression: string): Promise<RecordMappingEntity> {
    await this.assertKnown(caller, place);
    this.evaluator.check(expression);
    const { tenant, userId } = caller;
    const id = uuidv7({ msecs: this.clock.now() });
    const now = new Date(this.clock.now());
    const at = [tenant, place.provider, place.resource, place.connectionId ?? null];
    await this.audit.within({ tenant, action: 'mapping.set', target: `mapping:${id}` }, async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [JSON.stringify(['mapping', ...at])]);
      await manager.query(END_AT, [...at, now]);
      await manager.query(ADD_VERSION, [id, ...at, expression, userId, now]);
    });
    return this.mappings.findOneByOrFail({ id });
  }

  /** From now on readers get what the provider's object is, or what the organization's mapping makes of it. */
  async end(id: string, tenant: string | undefined): Promise<void> {
    const found = await this.mappings.findOneBy({ id, ...(tenant !== undefined && { tenant }) });
    if (!found || found.endedAt) throw new IntegrationError('not_found', { detail: 'There is no such mapping in force.' });
    await this.audit.within({ tenant: found.tenant, action: 'mapping.end', target: `mapping:${id}` }, (manager) =>
      manager.update(RecordMappingEntity, { id, endedAt: IsNull() }, { endedAt: new Date(this.clock.now()), toldAt: null }),
    );
  }

  list({ tenant, provider, resource, connectionId, ended, before, limit }: MappingFilter): Promise<RecordMappingEntity[]> {
    return this.mappings.find({
      where: {
        ...(tenant !== undefined && { tenant }),
        ...(provider !== undefined && { provider }),
        ...(resource !== undefined && { resource }),
        ...(connectionId !== undefined && { connectionId }),
        ...(!ended && { endedAt: IsNull() }),
        ...(before !== undefined && { id: LessThan(before) }),
      },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  /** Tries an expression on the newest records; stores nothing. */
  async preview(caller: Principal, place: MappingPlace, expression: string, limit: number): Promise<Previewed[]> {
    await this.assertKnown(caller, place);
    this.evaluator.check(expression);
    const params = [caller.tenant, place.provider, place.resource, place.connectionId ?? null, limit];
    const scope = asTenant(this.dataSource, tenantInHand());
    const rows = await scope.query<{ connection_id: string; external_id: string; data: unknown }>(SAMPLE, params);
    const results = await this.evaluator.map(
      expression,
      rows.map(({ data }) => data),
    );
    return rows.map(({ connection_id: connectionId, external_id: recordId, data: before }, index) => {
      const result = results[index];
      if (!result || 'error' in result) return { connectionId, recordId, before, after: null, mappingError: result?.error ?? '' };
      return { connectionId, recordId, before, after: result.data };
    });
  }

  private async assertKnown(caller: Principal, { provider, resource, connectionId }: MappingPlace): Promise<void> {
    const known = this.shapes.of(provider).map(({ name }) => name);
    if (!known.includes(resource))
      throw new IntegrationError('invalid_request', {
        detail: `resource: "${resource}" is none of ${provider}.`,
        nextStep: known.length > 0 ? `Known there: ${known.join(', ')}.` : 'That provider synchronizes nothing.',
      });
    if (connectionId === undefined) return;
    const connection = await this.connections.findFor(caller, connectionId);
    if (connection.provider !== provider)
      throw new IntegrationError('invalid_request', { detail: `connectionId: that is a connection to ${connection.provider}.` });
  }
}
