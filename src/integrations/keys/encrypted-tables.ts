import { CLIENT_SECRETS, SEALS, TOKENS, type EncryptedTable } from '../connections';
import { DESTINATION_SECRETS } from '../notifications';
import { EXECUTION_RESPONSES } from '../operations';
import { ADDRESS_SECRETS } from '../webhooks';

/** What is encrypted. Connect sessions and OAuth states are sealed too, but live for ten minutes: a rotation touches none of them. */
export const ENCRYPTED_TABLES: readonly EncryptedTable[] = [
  TOKENS,
  SEALS,
  EXECUTION_RESPONSES,
  DESTINATION_SECRETS,
  CLIENT_SECRETS,
  ADDRESS_SECRETS,
];
