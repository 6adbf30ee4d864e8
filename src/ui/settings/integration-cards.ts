import { Inject, Injectable } from '@nestjs/common';
import { roleReaches, type Principal } from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import {
  ConnectionRepository,
  mayManage,
  ScopeNeeds,
  SyncService,
  TenantProviders,
  type ConnectionViewer,
  type ConnectionWithSync,
  type Provider,
  type SyncRun,
} from '../../integrations';

/** More accounts than this nobody has on one page. */
const MOST_CONNECTIONS = 200;

export interface AccountState {
  /** In words: what was not allowed at the connect, and something needs. */
  readonly missing: readonly string[];
  /** Whether this person may end it and connect it anew. */
  readonly manages: boolean;
  readonly connection: ConnectionWithSync;
  /** The run under way, which another may wait for; else the newest, where there was one. */
  readonly run?: SyncRun;
}

/** What one card shows. */
export interface ProviderCard {
  readonly provider: Provider;
  /** Whether this person may connect accounts for the organization. */
  readonly forOrganization: boolean;
  /** Connected, or in need of a reconnect. */
  readonly accounts: readonly AccountState[];
  /** Name of the account that was disconnected last, where none is connected. */
  readonly formerAccount?: string;
}

export interface CardsPage {
  readonly cards: readonly ProviderCard[];
  readonly nowMs: number;
}

/** Reads what the cards show: what the server knows, nothing that a browser claims. */
@Injectable()
export class IntegrationCards {
  constructor(
    private readonly providers: TenantProviders,
    private readonly connections: ConnectionRepository,
    private readonly syncs: SyncService,
    private readonly scopeNeeds: ScopeNeeds,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The person's own connections and the organization's, whatever the role. A provider that is not configured is shown to administrators only, or with what was connected before. */
  async of(caller: Principal): Promise<CardsPage> {
    const viewer = ownViewer(caller);
    const all = await this.connections.list(viewer, { limit: MOST_CONNECTIONS });
    const connected = new Set(all.map(({ provider }) => provider));
    const shown = (await this.providers.seenBy(viewer.tenant)).filter(({ key, offered = true }) => offered || connected.has(key));
    const cards = await Promise.all(shown.map((provider) => this.card(provider, all, viewer)));
    const isAdmin = roleReaches(caller.role, 'admin');
    return {
      cards: cards.filter(({ provider, accounts }) => provider.configured || accounts.length > 0 || isAdmin),
      nowMs: this.clock.now(),
    };
  }

  private async card(provider: Provider, all: readonly ConnectionWithSync[], viewer: ConnectionViewer): Promise<ProviderCard> {
    const own = all.filter((connection) => connection.provider === provider.key);
    const active = own.filter(({ status }) => status !== 'disconnected').sort((a, b) => a.accountName.localeCompare(b.accountName, 'en'));
    const accounts = await Promise.all(
      active.map(async (connection) => ({
        connection,
        manages: mayManage(viewer, connection),
        missing: this.missingOf(provider, connection),
        run: await this.newestRun(connection),
      })),
    );
    const formerAccount = accounts.length === 0 ? own[0]?.accountName : undefined;
    const forOrganization = roleReaches(viewer.role, 'admin');
    return { provider, accounts, forOrganization, ...(formerAccount !== undefined && { formerAccount }) };
  }

  private missingOf({ oauth2 }: Provider, connection: ConnectionWithSync): string[] {
    const words = oauth2?.scopeWords ?? {};
    return connection.status === 'connected' ? this.scopeNeeds.missing(connection).map((scope) => words[scope] ?? scope) : [];
  }

  private async newestRun({ id, tenant }: ConnectionWithSync): Promise<SyncRun | undefined> {
    const runs = await this.syncs.list({ tenant, connectionId: id, limit: 2 });
    return runs.find(({ status }) => status === 'running') ?? runs[0];
  }
}

/** These pages are a person's own, with what is the organization's: an administrator's too. */
export function ownViewer({ tenant, userId, role }: Principal): ConnectionViewer {
  return { tenant, userId, role: roleReaches(role, 'admin') ? 'admin' : 'user', ownOnly: true };
}
