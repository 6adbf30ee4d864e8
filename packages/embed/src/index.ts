/** A user's integrations in a page of the product, without looks. */
export type { Connection, Provider, SyncRun } from './api.ts';
export { EmbedError, type EmbedErrorCode, type PageFault } from './embed-error.ts';
export {
  type ConnectionState,
  type ConnectOptions,
  type EmbedEvents,
  type EmbedOptions,
  type EmbedState,
  TrestleEmbed,
} from './embed-client.ts';
export type { GetToken, GivenToken } from './token-keeper.ts';
