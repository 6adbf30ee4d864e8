import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { asService, asStorageError, inTransaction, type SqlRunner } from '../../../database';
import { IntegrationError } from '../../../errors';
import { bindingOf, SecretBox } from '../tokens/secret-box';
import { isSealOver, sealOver } from './seal';
import { idOf, SEALED, type Sealed } from './sealed-columns';

/** What the seal of a connection is bound to; also used by the key rotation. */
export function sealBinding(sealed: unknown): string {
  return bindingOf('connection', JSON.stringify(sealed));
}

const BATCH = 500;
/** About a kilobyte each. */
const MOST_REMEMBERED = 10_000;

/**
 * Whose a connection is, sealed: an empty secret bound to what the row says. Who changes the row in the database has no key to seal it anew,
 * so the connection does nothing until the row is restored. Nothing of it is destroyed meanwhile.
 */
@Injectable()
export class ConnectionSeals {
  private readonly logger = new Logger('connections');
  private unsealedUntil = 0;
  /** Seals that were found to fit, with what they stand over: to look again costs a tenth of it. */
  private readonly good = new Map<string, string>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** For an upgrade: until then (ms) rows without a seal, of a version that made none, are taken for good. Default: never. */
  acceptUnsealedUntil(until: number): void {
    this.unsealedUntil = until;
  }

  /** Some rows may still be without a seal, and are to get one. */
  get isSealing(): boolean {
    return this.clock.now() < this.unsealedUntil;
  }

  /** @throws IntegrationError `decryption_failed` where the key is missing that sealed it */
  fits({ sealed, seal }: Sealed): boolean {
    if (seal === null) return this.isSealing;
    const binding = sealBinding(sealed);
    if (this.good.get(seal) === binding) return true;
    if (!isSealOver(this.secrets, seal, binding)) return false;
    this.remember(seal, binding);
    return true;
  }

  /** @throws IntegrationError `connection_altered` */
  check(row: Sealed): void {
    if (this.fits(row)) return;
    this.note(idOf(row));
    throw new IntegrationError('connection_altered', { notExecuted: true });
  }

  /** Makes a change of what is sealed, and seals it anew; what was altered before is refused, and so not made good by it. */
  async change<T>(runner: SqlRunner, ids: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const before of await this.read(runner, ids)) this.check(before);
    const result = await work();
    await this.store(runner, await this.read(runner, ids));
    return result;
  }

  /** Seals the row as it stands: for one that has just been made, in the transaction that made it. */
  async seal(runner: SqlRunner, id: string): Promise<void> {
    await this.store(runner, await this.read(runner, [id]));
  }

  /** Seals rows that have no seal, in batches that are committed one by one. `left`: somebody held one, so that it was passed over. */
  async sealUnsealed(signal?: AbortSignal): Promise<{ sealed: number; left: boolean }> {
    for (let sealed = 0; ;) {
      signal?.throwIfAborted();
      const count = await inTransaction(this.dataSource, async (runner) => {
        const rows = await this.run<Sealed>(
          runner,
          `SELECT ${SEALED} FROM connections c WHERE c.seal IS NULL ORDER BY c.id LIMIT $1 FOR NO KEY UPDATE OF c SKIP LOCKED`,
          [BATCH],
        );
        await this.store(runner, rows);
        return rows.length;
      });
      sealed += count;
      if (count === BATCH) continue;
      const left = await this.run(this.dataSource, 'SELECT 1 FROM connections WHERE seal IS NULL LIMIT 1', []);
      return { sealed, left: left.length > 0 };
    }
  }

  /** Forgets of those that fit again that they were altered. */
  async recheck(): Promise<void> {
    const rows = await this.run<Sealed>(
      this.dataSource,
      `SELECT ${SEALED} FROM connections c WHERE c.altered_at IS NOT NULL ORDER BY c.id LIMIT $1`,
      [BATCH],
    );
    const restored = rows.filter((row) => this.fits(row)).map(idOf);
    if (restored.length > 0)
      await this.run(this.dataSource, 'UPDATE connections SET altered_at = NULL WHERE id = ANY ($1::uuid[])', [restored]);
  }

  private remember(seal: string, binding: string): void {
    const [oldest] = this.good.keys();
    if (this.good.size >= MOST_REMEMBERED && oldest !== undefined) this.good.delete(oldest);
    this.good.set(seal, binding);
  }

  private read(runner: SqlRunner, ids: readonly string[]): Promise<Sealed[]> {
    return this.run<Sealed>(
      runner,
      `SELECT ${SEALED} FROM connections c WHERE c.id = ANY ($1::uuid[]) ORDER BY c.id FOR NO KEY UPDATE OF c`,
      [ids],
    );
  }

  private async store(runner: SqlRunner, rows: readonly Sealed[]): Promise<void> {
    const seals = rows.map(({ sealed }) => sealOver(this.secrets, sealBinding(sealed)));
    await this.run(
      runner,
      'UPDATE connections c SET seal = s.seal, altered_at = NULL FROM unnest($1::uuid[], $2::text[]) AS s (id, seal) WHERE c.id = s.id',
      [rows.map(idOf), seals],
    );
  }

  /** Best effort, beside whoever is refused: an alert is made of it, and the log has the cause once. */
  private note(id: string): void {
    const noting = this.run<{ id: string }>(
      this.dataSource,
      `WITH noted AS (UPDATE connections SET altered_at = now() WHERE id = $1 AND altered_at IS NULL RETURNING id) SELECT id FROM noted`,
      [id],
    );
    noting
      .then(([noted]) => {
        const msg =
          'The row of a connection does not fit its seal: it was changed by something else than this service, or never sealed. It is not used until it is restored.';
        if (noted) this.logger.error({ msg, connectionId: id });
      })
      .catch(() => undefined);
  }

  private async run<Row extends object>(runner: SqlRunner, sql: string, params: unknown[]): Promise<Row[]> {
    try {
      return await asService(() => runner.query<Row>(sql, params)); // a row that was given to another organization is refused as well
    } catch (error) {
      throw asStorageError(error);
    }
  }
}
