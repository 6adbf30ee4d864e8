export type DatabaseKind = 'embedded' | 'server';

/** Which of the two databases this process runs on. */
export class DatabaseInfo {
  constructor(readonly kind: DatabaseKind) {}

  /** One connection, one process: locks between callers belong in the process. */
  get isEmbedded(): boolean {
    return this.kind === 'embedded';
  }
}
