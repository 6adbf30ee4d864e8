import { SEALS, TOKENS, type EncryptedTable } from '../connections';
import { DESTINATION_SECRETS } from '../notifications';
import { EXECUTION_RESPONSES } from '../operations';

/** What is encrypted. OAuth states are too, but live for ten minutes: a rotation waits for them rather than touching them. */
export const ENCRYPTED_TABLES: readonly EncryptedTable[] = [TOKENS, SEALS, EXECUTION_RESPONSES, DESTINATION_SECRETS];
