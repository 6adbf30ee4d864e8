import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { PeriodicTasks } from '../jobs';

const EVERY_MS = 6 * 60 * 60_000;
/** Months that are made ahead. */
const AHEAD = 2;
/** How long an entry is kept, days: over a year, so that one year can be looked back upon. */
export const AUDIT_DAYS = 400;

/** The months of the audit: made ahead, dropped whole when they are over. Several processes at once do no harm. */
@Injectable()
export class AuditPartitions implements OnModuleInit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly periodic: PeriodicTasks,
  ) {}

  onModuleInit(): Promise<void> {
    return this.makeAhead();
  }

  @Interval('audit-partitions', EVERY_MS)
  tick(): Promise<void> {
    return this.periodic.run('audit-partitions', async () => {
      await this.makeAhead();
      await this.dropOld();
    });
  }

  async makeAhead(): Promise<void> {
    await this.dataSource.query('SELECT make_audit_month(now() + make_interval(months => n)) FROM generate_series(0, $1::int) n', [AHEAD]);
  }

  /** @returns the names of the months that are gone */
  async dropOld(): Promise<string[]> {
    const months = await this.dataSource.query<{ name: string }[]>(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'audit_entries'::regclass AND c.relname ~ '^audit_entries_\\d{4}_\\d{2}$'
         AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' < now() - make_interval(days => $1::int)`,
      [AUDIT_DAYS],
    );
    for (const { name } of months) await this.dataSource.query(`DROP TABLE IF EXISTS "${name}"`);
    return months.map(({ name }) => name);
  }
}
