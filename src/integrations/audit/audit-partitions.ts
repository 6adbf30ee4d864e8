import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { asService, type SqlRunner } from '../../database';
import { PeriodicTasks } from '../jobs';

const EVERY_MS = 6 * 60 * 60_000;
/** Months that are made ahead. */
const AHEAD = 2;

/** The months of the audit: made ahead, dropped whole when they are over. Several processes at once do no harm. */
@Injectable()
export class AuditPartitions implements OnModuleInit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly periodic: PeriodicTasks,
  ) {}

  onModuleInit(): Promise<void> {
    return asService(() => this.makeAhead());
  }

  @Interval('audit-partitions', EVERY_MS)
  tick(): Promise<void> {
    return this.periodic.run('audit-partitions', async () => {
      await this.makeAhead();
      await this.dropOld();
    });
  }

  /** Asks for those alone that are missing: at most starts for none. */
  async makeAhead(): Promise<void> {
    await this.dataSource.query(
      `SELECT make_audit_month(month) FROM (SELECT now() + make_interval(months => n) AS month FROM generate_series(0, $1::int) n) ahead
       WHERE to_regclass('audit_entries_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM')) IS NULL`,
      [AHEAD],
    );
  }

  /** Months that are over for 400 days: one year can always be looked back upon. @returns the names of those that are gone */
  async dropOld(): Promise<string[]> {
    const months = await this.dataSource.query<{ name: string }[]>('SELECT drop_audit_months() AS name');
    return months.map(({ name }) => name);
  }
}

/** For rows that come from elsewhere: the months in which they lie. @param rows a JSON array of them */
export async function makeMonthsOf(db: SqlRunner, rows: string): Promise<void> {
  await db.query(
    `SELECT make_audit_month(month) FROM (SELECT DISTINCT date_trunc('month', (r ->> 'at')::timestamptz, 'UTC') AS month FROM json_array_elements($1::json) r) m
     WHERE to_regclass('audit_entries_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM')) IS NULL`,
    [rows],
  );
}
