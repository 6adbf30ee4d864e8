import { Query } from 'pg';
import type { DataSource } from 'typeorm';

/** A column that a statement gives. */
export interface DescribedColumn {
  readonly name: string;
  /** Of its type. */
  readonly oid: number;
  /** Where the column comes from, as it is; 0 for what is computed. */
  readonly table: number;
  readonly column: number;
}

export interface Description {
  readonly columns: readonly DescribedColumn[];
  readonly params: number;
}

interface WireConnection {
  parse(message: { name: string; text: string }): void;
  describe(message: { type: 'S'; name: string }): void;
  sync(): void;
  once(event: 'parameterDescription', listener: (message: { parameterCount: number }) => void): void;
  removeAllListeners(event: 'parameterDescription'): void;
}

interface WireClient {
  query(query: Describe): void;
}

/** What the server says of a statement, without running it. @throws where it is none for this schema */
export async function describeStatement(dataSource: DataSource, text: string): Promise<Description> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as WireClient;
    return await new Promise<Description>((done, failed) => client.query(new Describe(text, done, failed)));
  } finally {
    await runner.release();
  }
}

/** To `pg` a query that is prepared and asked about, and not run. */
class Describe extends Query {
  declare private readonly text: string;
  private columns: DescribedColumn[] = [];
  private params = 0;

  constructor(
    text: string,
    private readonly done: (description: Description) => void,
    private readonly failed: (error: Error) => void,
  ) {
    super({ text });
  }

  requiresPreparation(): boolean {
    return true;
  }

  prepare(connection: WireConnection): void {
    connection.removeAllListeners('parameterDescription');
    connection.once('parameterDescription', ({ parameterCount }) => (this.params = parameterCount));
    connection.parse({ name: '', text: this.text });
    connection.describe({ type: 'S', name: '' });
    connection.sync();
  }

  handleRowDescription({ fields }: { fields: { name: string; dataTypeID: number; tableID: number; columnID: number }[] }): void {
    this.columns = fields.map(({ name, dataTypeID: oid, tableID: table, columnID: column }) => ({ name, oid, table, column }));
  }

  handleError(error: Error): void {
    this.failed(error);
  }

  handleReadyForQuery(): void {
    this.done({ columns: this.columns, params: this.params });
  }
}
