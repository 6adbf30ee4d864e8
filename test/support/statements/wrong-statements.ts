import type { DataSource, EntityManager } from 'typeorm';

/** Statements whose rows are not what they are said to be: `row-types.spec.ts` must find each. */
export async function wrongStatements(dataSource: DataSource, manager: EntityManager): Promise<unknown[]> {
  return [
    await dataSource.query<{ count: number }[]>('SELECT count(*) AS count FROM grants'),
    await dataSource.query<{ grant_id: string }[]>('SELECT grant_id FROM connections'),
    await manager.query<{ name: string }[]>('SELECT account_name FROM connections'),
    await manager.query<{ created_at: string }[]>('SELECT created_at FROM grants'),
    await manager.query<{ id: string }[]>('UPDATE grants SET client = $1 RETURNING id', ['']),
    await manager.query<{ id: string }[]>('SELECT id FROM grants WHERE provider = $1', ['a', 'b']),
    await manager.query<{ metadata: Date }[]>('SELECT metadata FROM connections'),
    (await manager.query('SELECT id FROM grants')) as unknown,
    await manager.query<{ id: string }[]>('SELECT id FROM no_such_table'),
  ];
}
