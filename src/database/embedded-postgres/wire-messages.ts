/**
 * Cuts a byte stream into the messages of the Postgres wire protocol.
 * The first message of a connection (StartupMessage) has no type byte; every other has one, then its length.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class WireMessages {
  private pending: Buffer = Buffer.alloc(0);
  private started = false;

  /** Takes bytes in, gives back every message that is now whole. */
  take(chunks: readonly Uint8Array[]): Buffer[] {
    this.pending = Buffer.concat([this.pending, ...chunks]);
    const messages: Buffer[] = [];
    for (let size = this.sizeOfNext(); size !== undefined && size <= this.pending.length; size = this.sizeOfNext()) {
      messages.push(this.pending.subarray(0, size));
      this.pending = this.pending.subarray(size);
      this.started = true;
    }
    return messages;
  }

  private sizeOfNext(): number | undefined {
    const typeBytes = this.started ? 1 : 0;
    if (this.pending.length < typeBytes + 4) return undefined;
    return typeBytes + this.pending.readUInt32BE(typeBytes);
  }
}

export const TERMINATE = 'X'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);
const QUERY = 'Q'.charCodeAt(0);
const READY_FOR_QUERY = 'Z'.charCodeAt(0);

/** Whether the server must answer this message, in the end, with ReadyForQuery. */
export function asksForReady(message: Buffer): boolean {
  return message[0] === SYNC || message[0] === QUERY;
}

/** Whether an answer ends with ReadyForQuery (type, length 5, one status byte). */
export function endsReady(answer: Buffer): boolean {
  return answer.length >= 6 && answer[answer.length - 6] === READY_FOR_QUERY && answer.readUInt32BE(answer.length - 5) === 5;
}

/** A simple Query message. */
export function queryMessage(sql: string): Buffer {
  const text = Buffer.from(`${sql}\0`);
  const message = Buffer.alloc(5);
  message[0] = QUERY;
  message.writeUInt32BE(4 + text.length, 1);
  return Buffer.concat([message, text]);
}
