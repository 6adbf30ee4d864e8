/** A table in which something of a connection, of a person or of an organization is held, and what becomes of its rows. The names are columns. */
export interface HeldTable {
  readonly table: string;
  /** Holds the connection's id: the rows are destroyed with the connection. */
  readonly connection?: string;
  /** Holds the organization: the rows are destroyed with it, and with the person that `user` holds. */
  readonly tenant?: string;
  readonly user?: string;
  /** Rows of a provider's account that belong to no connection: destroyed when nobody is connected to the account any more. */
  readonly account?: { readonly provider: string; readonly routingKey: string };
  /** The table with whose rows these go. */
  readonly goesWith?: string;
  /** Its rows are destroyed with the last row of that table that points at them. `points`: whether a row `o` of that table does, in SQL. */
  readonly pointedAtBy?: { readonly table: string; readonly column: string; readonly points: string };
  /** Conditions of SQL: `rows` of the connection outlive it as long as `while` holds. */
  readonly kept?: { readonly rows: string; readonly while: string };
  /** Why nothing of it is destroyed. */
  readonly stays?: string;
  readonly exported?: Exported;
}

/** How rows stand in an export. Never a secret. */
export interface Exported {
  /** The `kind` of its lines. */
  readonly kind: string;
  /** A list for SELECT. */
  readonly columns: string;
  /** By which rows of one connection, or of one person, are told apart and put in order. */
  readonly key: string;
}
