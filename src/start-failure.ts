import { SettingsError } from './config/settings-error';
import { DataFolderLockedError } from './database';
import { IntegrationError } from './errors';

/** What a program says that could not start or go on: sentences for what a person can mend, a stack for what is a fault of ours. */
export function failureText(error: unknown): string {
  if (error instanceof SettingsError || error instanceof DataFolderLockedError) return error.message;
  if (error instanceof IntegrationError) return `${error.message} ${error.nextStep}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
