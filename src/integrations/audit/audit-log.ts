import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { asStorageError, inTransaction } from '../../database';
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

/** The outcome of what was begun, and of what a crash cut off: nobody knows what came of it. */
export const STARTED = 'started';

const INSERT = `INSERT INTO audit_entries (id, at, tenant, actor_tenant, actor_user, actor_role, action, target, outcome, request_id, ip)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;
const SETTLE = `UPDATE audit_entries SET outcome = $3 WHERE id = $1 AND at = $2`;

export interface AuditFilter {
  /** Confines to one organization; undefined: all. */
  readonly tenant?: string;
  /** Of those, the entries of this organization. */
  readonly ofTenant?: string;
  /** A user's id. */
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  /** One of these. */
  readonly targets?: readonly string[];
  readonly from?: Date;
  readonly to?: Date;
  /** Id of the last entry that was seen. */
  readonly before?: string;
  readonly limit: number;
}

/** Who acts now: the caller of the request, or the system. */
export function currentActor(): Actor {
  const { tenant, userId, role } = requestContext.getStore()?.principal ?? SYSTEM;
  return { tenant, userId, role };
}

/** The record of who did what. Append-only; no secret is ever handed to it. */
@Injectable()
export class AuditLog {
  private readonly logger = new Logger(AuditLog.name);

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Records what was done. @returns the entry's key */
  async record(
    act: AuditedAct,
    outcome = 'ok',
    { runner = this.dataSource, actor = currentActor() }: RecordOptions = {},
  ): Promise<{ id: string; at: Date }> {
    const context = requestContext.getStore();
    const now = this.clock.now();
    const key = { id: uuidv7({ msecs: now }), at: new Date(now) };
    await runner.query(INSERT, [
      key.id,
      key.at,
      act.tenant,
      actor.tenant,
      actor.userId,
      actor.role,
      act.action,
      act.target,
      outcome,
      context?.requestId ?? null,
      context?.address ?? null,
    ]);
    return key;
  }

  /** Does in one transaction what is one, and its entry with it: both are kept, or neither. A refusal is recorded as well. */
  async within<T>(act: AuditedAct, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await inTransaction(this.dataSource, async (manager) => {
        const result = await work(manager);
        await this.record(act, 'ok', { runner: manager });
        return result;
      });
    } catch (error) {
      await this.bestEffort(act, this.record(act, codeOf(error)));
      throw error;
    }
  }

  /** Does what no transaction holds: recorded before, as `started`, and what came of it after, a refusal as well. Of several organizations' things: an act for each. */
  async around<T>(acts: AuditedAct | readonly AuditedAct[], work: () => Promise<T>): Promise<T> {
    const begun = await this.begin([acts].flat());
    const settle = async (outcome: string) => {
      for (const { act, id, at } of begun) await this.bestEffort(act, this.dataSource.query(SETTLE, [id, at, outcome]));
    };
    try {
      const result = await work();
      await settle('ok');
      return result;
    } catch (error) {
      await settle(codeOf(error));
      throw error;
    }
  }

  /** Newest first. */
  list({ tenant, ofTenant, actor, action, target, targets, from, to, before, limit }: AuditFilter): Promise<AuditEntryEntity[]> {
    const query = this.dataSource.getRepository(AuditEntryEntity).createQueryBuilder('entry').orderBy('entry.id', 'DESC').limit(limit);
    if (tenant !== undefined) query.andWhere('entry.tenant = :tenant', { tenant });
    if (ofTenant !== undefined) query.andWhere('entry.tenant = :ofTenant', { ofTenant });
    if (actor !== undefined) query.andWhere('entry.actorUser = :actor', { actor });
    if (action !== undefined) query.andWhere('entry.action = :action', { action });
    if (target !== undefined) query.andWhere('entry.target = :target', { target });
    if (targets !== undefined) query.andWhere('entry.target IN (:...targets)', { targets: [...targets] });
    if (from !== undefined) query.andWhere('entry.at >= :from', { from });
    if (to !== undefined) query.andWhere('entry.at < :to', { to });
    if (before !== undefined) query.andWhere('entry.id < :before', { before });
    return query.getMany();
  }

  private async begin(acts: readonly AuditedAct[]): Promise<{ act: AuditedAct; id: string; at: Date }[]> {
    const begun: { act: AuditedAct; id: string; at: Date }[] = [];
    try {
      for (const act of acts) begun.push({ act, ...(await this.record(act, STARTED)) });
      return begun;
    } catch (error) {
      throw asStorageError(error);
    }
  }

  /** The deed is done, or refused, whether or not the database takes the word for it. */
  private async bestEffort({ action, target }: AuditedAct, written: Promise<unknown>): Promise<void> {
    await written.catch((error: unknown) => this.logger.error({ msg: 'What came of an act could not be recorded', action, target, error }));
  }
}

function codeOf(error: unknown): string {
  return findIntegrationError(error)?.code ?? 'internal_error';
}
