import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Connection } from './connection';

/** Writes what belongs to a connect into its transaction. What it throws undoes the connect. */
export type ConnectParticipant = (manager: EntityManager, connection: Connection, at: Date) => Promise<void>;

/** What other parts write when an account is connected, all or nothing with it: nobody sees the one without the other. */
@Injectable()
export class ConnectParticipants {
  private readonly participants = new Set<ConnectParticipant>();

  /** @returns a function that removes it */
  register(participant: ConnectParticipant): () => void {
    this.participants.add(participant);
    return () => void this.participants.delete(participant);
  }

  async write(manager: EntityManager, connection: Connection, at: Date): Promise<void> {
    for (const participant of this.participants) await participant(manager, connection, at);
  }
}
