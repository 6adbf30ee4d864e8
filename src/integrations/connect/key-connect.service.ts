import { Injectable } from '@nestjs/common';
import { IntegrationError } from '../../errors';
import { ConnectionRepository, TokenEndpoint, type Connection, type ConnectionViewer } from '../connections';
import { knownFields, ownershipOf, type ChosenOwner } from './chosen-owner';
import type { AccountIdentity, Provider } from '../contract';
import { filledIn, isMinted, providerFor, ProviderRegistry } from '../providers';
import { AccountLookup } from './account-lookup';
import { clientFailure, keyFailure } from './connect-failure';
import type { ConnectIntent } from './connect-flow.repository';
import { ConnectedAccounts } from './connected-accounts';

export interface KeyRequest extends ChosenOwner {
  readonly provider: string;
  readonly apiKey?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** A connection that is connected anew. */
  readonly connectionId?: string;
}

type Intent = Pick<ConnectIntent, 'tenant' | 'userId' | 'owner' | 'policy' | 'connectionId'>;

/** Connecting by what the person types: a key, an id and a secret of a client of their own, or what a sign-in call takes. */
@Injectable()
export class KeyConnectService {
  constructor(
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly endpoint: TokenEndpoint,
    private readonly lookup: AccountLookup,
    private readonly accounts: ConnectedAccounts,
  ) {}

  /** Connects after one real call. @throws IntegrationError `credentials_rejected`, `not_supported`, `connection_not_found`, `account_mismatch` */
  async connect(viewer: ConnectionViewer, request: KeyRequest): Promise<Connection> {
    const provider = this.registry.get(request.provider);
    const { old, ...whose } = await ownershipOf(this.connections, viewer, request);
    const intent: Intent = { ...whose, ...(old && { connectionId: old.id }) };
    const { apiKey, fields } = { ...request, ...(old && { fields: { ...knownFields(provider, old), ...request.fields } }) };
    if (isMinted(provider.oauth2)) return this.withMinted(intent, provider, fields);
    return this.withKey(intent, provider, { apiKey, fields });
  }

  private async withKey(intent: Intent, base: Provider, given: Pick<KeyRequest, 'apiKey' | 'fields'>): Promise<Connection> {
    const verify = base.auth.verifyApiKey?.bind(base.auth);
    if (!base.apiKey || !verify) throw new IntegrationError('not_supported', { detail: `${base.name} is not connected with a key.` });
    const { values, secrets } = filledIn(base, given.fields);
    const provider = providerFor(base, values);
    const key = given.apiKey?.trim() ?? '';
    if (!base.apiKey.pattern.test(key))
      throw new IntegrationError('credentials_rejected', { nextStep: base.apiKey.help, notExecuted: true });
    // One text is stored: where there are several secrets, all of them as JSON.
    const apiKey = Object.keys(secrets).length === 0 ? key : JSON.stringify({ key, ...secrets });
    const account = await this.lookup.byKey(provider, verify, { apiKey, values }).catch((error: unknown) => {
      throw keyFailure(error, provider);
    });
    const grants = [{ kind: 'default', accessToken: apiKey, scopes: account.scopes ?? [] }];
    return this.accounts.save({ provider, intent, authType: 'api_key', account, grants });
  }

  /** A token is minted for what was typed, now and whenever one ends. */
  private async withMinted(intent: Intent, base: Provider, fields: KeyRequest['fields']): Promise<Connection> {
    const { values, secrets } = filledIn(base, fields);
    const provider = providerFor(base, values);
    const minted = await this.endpoint.mint(provider, secrets).catch((error: unknown) => {
      throw clientFailure(error, provider);
    });
    const known = { ...values, ...base.auth.learn?.({ tokenBody: minted.body, callback: {} }) };
    const found = await this.lookup.byGrant(providerFor(base, known), minted, { values: { ...known, clientId: secrets['clientId'] } });
    // What a person types is one account's.
    const [account] = [found].flat() as AccountIdentity[];
    if (!account)
      throw new IntegrationError('connect_failed', { provider: provider.key, detail: 'What was filled in belongs to no account.' });
    return this.accounts.save({ provider, intent, authType: 'oauth2', account, grants: minted.grants });
  }
}
