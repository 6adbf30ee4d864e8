import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface DemoDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A database of the demo's own on the server that DATABASE_URL names: the demo leaves nothing in anybody's data. */
export async function createDemoDatabase(serverUrl: string): Promise<DemoDatabase> {
  const name = `trestle_demo_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.toString(), drop: () => onServer(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function onServer(serverUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
