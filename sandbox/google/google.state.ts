import type { Json } from '../sandbox.types';
import { emptyTokenState, type TokenState } from '../token-store';

export interface StoredEvent {
  id: string;
  /** Number of the last change in its account; sync tokens remember one. */
  seq: number;
  /** Place in lists; stays for the life of the event. */
  ordinal: number;
  data: Json;
}

export interface Calendar {
  id: string;
  summary: string;
  primary: boolean;
  timeZone: string;
  accessRole: string;
  /** Taken off the person's list: told once as deleted, its events are not found. */
  deleted?: boolean;
  /** In the list only where it is asked for. */
  hidden?: boolean;
  seq: number;
  /** In the order of creation. */
  events: Map<string, StoredEvent>;
}

export interface MailMessage {
  id: string;
  threadId: string;
  labelIds: string[];
  raw: string;
  internalDate: number;
  historyId: number;
}

export interface HistoryEntry {
  id: number;
  type: 'messageAdded' | 'messageDeleted' | 'labelAdded' | 'labelRemoved';
  messageId: string;
  threadId: string;
  labelIds: string[];
}

export interface Channel {
  id: string;
  resourceId: string;
  resourceUri: string;
  /** Calendar id, or `calendarList`. */
  target: string;
  address: string;
  token: string | null;
  expiration: number;
  messageNumber: number;
}

export interface GoogleAccount {
  email: string;
  sub: string;
  name: string;
  calendars: Map<string, Calendar>;
  seq: number;
  /** Sync tokens of an earlier epoch are answered 410. */
  syncEpoch: number;
  channels: Map<string, Channel>;
  usedChannelIds: Set<string>;
  mail: Map<string, MailMessage>;
  history: HistoryEntry[];
  historyId: number;
  /** Older start ids are answered 404. */
  oldestHistoryId: number;
  mailWatchUntil: number;
}

export interface GoogleState {
  accounts: Map<string, GoogleAccount>;
  tokens: TokenState;
  serial: number;
}

export function emptyGoogleState(): GoogleState {
  return { accounts: new Map(), tokens: emptyTokenState(), serial: 0 };
}

export const FIRST_HISTORY_ID = 1_000_000;
