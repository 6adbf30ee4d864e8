import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { findIntegrationError } from '../../errors';
import { requestContext } from '../../http-api';
import type { AuditedAct } from './audit-action';
import { AuditEntryEntity } from './audit-entry.entity';

/** Who acts: a caller, or one of the two below. */
export interface Actor {
  readonly tenant: string;
  readonly userId: string;
  readonly role: string;
}

/** Who acts without a request: cron, a worker, a command, the product's own code. */
const SYSTEM: Actor = { tenant: '', userId: 'system', role: 'system' };
/** Who ended a grant there. */
export const PROVIDER: Actor = { tenant: '', userId: 'provider', role: 'provider' };

export interface RecordOptions {
  /** The transaction of the deed: both are kept, or neither. */
  readonly runner?: { query<Row extends object>(sql: string, params?: unknown[]): Promise<Row[]> };
  /** Where it is not the caller of the request. */
  readonly actor?: Actor;
}

const INSERT = `INSERT INTO audit_entries (id, at, tenant, actor_tenant, actor_user, actor_role, action, target, outcome, request_id, ip)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;

export interface AuditFilter {
  /** Confines to one organization; undefined: all. */
  readonly tenant?: string;
  /** A user's id. */
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  readonly from?: Date;
  readonly to?: Date;
  /** Id of the last entry that was seen. */
  readonly before?: string;
  readonly limit: number;
}

/** The record of who did what. Append-only; no secret is ever handed to it. */
@Injectable()
export class AuditLog {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Records what was done. */
  async record(act: AuditedAct, outcome = 'ok', { runner = this.dataSource, actor }: RecordOptions = {}): Promise<void> {
    const context = requestContext.getStore();
    const who = actor ?? context?.principal ?? SYSTEM;
    const now = this.clock.now();
    await runner.query(INSERT, [
      uuidv7({ msecs: now }),
      new Date(now),
      act.tenant,
      who.tenant,
      who.userId,
      who.role,
      act.action,
      act.target,
      outcome,
      context?.requestId ?? null,
      context?.address ?? null,
    ]);
  }

  /** Does it, and records what came of it: a refusal as well. */
  async around<T>(act: AuditedAct, work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      await this.record(act, findIntegrationError(error)?.code ?? 'internal_error');
      throw error;
    }
    await this.record(act);
    return result;
  }

  /** Newest first. */
  list({ tenant, actor, action, target, from, to, before, limit }: AuditFilter): Promise<AuditEntryEntity[]> {
    const query = this.dataSource.getRepository(AuditEntryEntity).createQueryBuilder('entry').orderBy('entry.id', 'DESC').limit(limit);
    if (tenant !== undefined) query.andWhere('entry.tenant = :tenant', { tenant });
    if (actor !== undefined) query.andWhere('entry.actorUser = :actor', { actor });
    if (action !== undefined) query.andWhere('entry.action = :action', { action });
    if (target !== undefined) query.andWhere('entry.target = :target', { target });
    if (from !== undefined) query.andWhere('entry.at >= :from', { from });
    if (to !== undefined) query.andWhere('entry.at < :to', { to });
    if (before !== undefined) query.andWhere('entry.id < :before', { before });
    return query.getMany();
  }
}
