import { join } from 'node:path';
import { Client } from 'pg';
import { HASH_BYTES } from '../../src/integrations/sync/records/canonical-json';
import { recordBatch } from '../../src/integrations/sync/records/record-batch';
import type { Item } from '../lib/paged-list';

const CHUNK_BYTES = 65_536;
const COPY =
  'COPY limit_records (connection_id, resource, partition, external_id, data, hash, version, deleted, change_no, changed_at) FROM STDIN';

type CopyIn = (client: Client, statement: string, chunks: readonly Buffer[]) => Promise<void>;

/** B4's limit: rows that are ready in memory go into a table like ours by COPY, in one transaction. Nothing is fetched, compared or noted. */
export class CopyLimit {
  private constructor(
    private readonly client: Client,
    private readonly copyIn: CopyIn,
    private readonly chunks: readonly Buffer[],
  ) {}

  static async open(url: string, connectionId: string, items: readonly Item[]): Promise<CopyLimit> {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query('CREATE TABLE limit_records (LIKE records INCLUDING ALL)');
    // What the benchmarks compare with is installed for them alone, so it is looked up when they run.
    const { copyIn } = (await import(join(__dirname, 'copy-in.cjs'))) as { copyIn: CopyIn };
    return new CopyLimit(client, copyIn, chunked(lines(connectionId, items)));
  }

  copy(): Promise<void> {
    return this.copyIn(this.client, COPY, this.chunks);
  }

  async empty(): Promise<void> {
    await this.client.query('TRUNCATE limit_records');
  }

  close(): Promise<void> {
    return this.client.end();
  }
}

function lines(connectionId: string, items: readonly Item[]): string[] {
  const { ids, texts, hashes } = recordBatch(items.map((item) => ({ id: item.id, data: item })));
  const now = new Date().toISOString();
  return texts.map((text, index) => {
    const hash = hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES).toString('hex');
    return [connectionId, 'items', '', ids[index], escaped(text), `\\\\x${hash}`, '\\N', 'f', index + 1, now].join('\t') + '\n';
  });
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}

function chunked(rows: readonly string[]): Buffer[] {
  const all = Buffer.from(rows.join(''));
  return Array.from({ length: Math.ceil(all.length / CHUNK_BYTES) }, (_, n) => all.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES));
}
