import type { TransferredSums } from '../database/transfer';

/** A line for each table that holds something, and the sum. */
export function reportOf(sums: TransferredSums): string {
  const filled = Object.entries(sums).filter(([, { rows }]) => rows !== '0');
  const lines = filled.map(([table, { rows, hash }]) => `${table.padEnd(24)} ${rows.padStart(10)} rows  ${hash}\n`);
  const all = filled.reduce((sum, [, { rows }]) => sum + BigInt(rows), 0n);
  return `${lines.join('')}${all} rows in ${filled.length} tables.\n`;
}
