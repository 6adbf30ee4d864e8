import { parseNestedForm, record, text } from '../form-body';
import { secretText } from '../random';
import type { SandboxContext } from '../sandbox-context';
import type { Principal, Json, ProviderSurface, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import { bearerOf, type TokenStore } from '../token-store';
import { invalidRequest, stripeErrorBody, StripeFault } from './stripe.errors';
import type { Cause } from './stripe.events';
import { withIdempotency } from './stripe.idempotency';
import { expandAll, filterOf, listPage, testClocks } from './stripe.lists';
import { paymentIntentObject } from './stripe.billing-objects';
import { accountObject, API_VERSION } from './stripe.objects';
import { type CollectionName, put, type StripeAccount, type StripeObject } from './stripe.state';
import type { StripeSubscriptions } from './stripe.subscriptions';
import { metadataOf, type StripeWorld } from './stripe.world';

interface Call {
  account: StripeAccount;
  params: Json;
  id: string;
  cause: Cause;
  path: string;
}

type Work = (call: Call) => Json;

/** The API under /v1: https://docs.stripe.com/api */
export class StripeApi {
  constructor(
    private readonly context: SandboxContext,
    private readonly world: StripeWorld,
    private readonly subscriptions: StripeSubscriptions,
    private readonly tokens: TokenStore,
  ) {}

  routes(): Route[] {
    const { world, subscriptions } = this;
    const find = (call: Call, collection: CollectionName, kind: string): StripeObject =>
      world.find(call.account, collection, kind, call.id);
    return [
      this.route('GET', '/v1/account', 'account.retrieve', ({ account }) => accountObject(account)),
      this.route('GET', '/v1/accounts/:id', 'accounts.retrieve', (call) => this.accountById(call)),
      ...this.readable('customers', 'customer', (call) => this.customer(call)),
      this.route('POST', '/v1/customers', 'customers.create', ({ account, params, cause }) => world.createCustomer(account, params, cause)),
      this.route('POST', '/v1/customers/:id', 'customers.update', (call) =>
        world.updateCustomer(call.account, find(call, 'customers', 'customer'), call.params, call.cause),
      ),
      this.route('DELETE', '/v1/customers/:id', 'customers.del', (call) =>
        world.deleteCustomer(call.account, find(call, 'customers', 'customer'), call.cause),
      ),
      ...this.readable('products', 'product'),
      this.route('POST', '/v1/products', 'products.create', ({ account, params, cause }) => world.createProduct(account, params, cause)),
      ...this.readable('prices', 'price'),
      this.route('POST', '/v1/prices', 'prices.create', ({ account, params, cause }) => world.createPrice(account, params, cause)),
      ...this.readable('subscriptions', 'subscription'),
      this.route('POST', '/v1/subscriptions', 'subscriptions.create', ({ account, params, cause }) =>
        subscriptions.create(account, params, cause),
      ),
      this.route('POST', '/v1/subscriptions/:id', 'subscriptions.update', (call) =>
        subscriptions.update(call.account, find(call, 'subscriptions', 'subscription'), call.params, call.cause),
      ),
      this.route('DELETE', '/v1/subscriptions/:id', 'subscriptions.cancel', (call) =>
        subscriptions.cancel(call.account, find(call, 'subscriptions', 'subscription'), call.cause),
      ),
      ...this.readable('invoices', 'invoice'),
      ...this.readable('payment_intents', 'payment_intent'),
      this.route('POST', '/v1/payment_intents', 'payment_intents.create', (call) => this.createIntent(call)),
      this.route('POST', '/v1/payment_intents/:id/confirm', 'payment_intents.confirm', (call) =>
        subscriptions.confirm(
          call.account,
          find(call, 'payment_intents', 'payment_intent'),
          text(call.params['payment_method']) ?? 'pm_card_visa',
          call.cause,
        ),
      ),
      this.route('POST', '/v1/billing_portal/sessions', 'billing_portal.sessions.create', (call) => this.portalSession(call)),
      this.route('POST', '/v1/checkout/sessions', 'checkout.sessions.create', (call) => this.checkoutSession(call)),
      ...this.readable('events', 'event'),
      this.route('GET', '/v1/test_helpers/test_clocks', 'test_clocks.list', ({ account }) => testClocks(account)),
    ];
  }

  surface(routes: Route[]): ProviderSurface {
    return {
      name: 'stripe',
      routes,
      parseForm: parseNestedForm,
      identify: (request) => this.identify(request),
      errorBody: (status) => stripeErrorBody(status),
      rateLimited: (_, status = 429) => ({
        status,
        headers: { 'stripe-rate-limited-reason': 'endpoint-rate', 'stripe-should-retry': 'true' },
        body: stripeErrorBody(429),
      }),
      refuseRefresh: () => ({
        status: 400,
        body: { error: 'invalid_grant', error_description: 'Refresh token does not exist or was revoked' },
      }),
      notFound: (request) => ({
        status: 404,
        body: { error: { message: `Unrecognized request URL (${request.method}: ${request.path}).`, type: 'invalid_request_error' } },
      }),
      commonHeaders: () => ({ 'request-id': `req_${secretText(14)}`, 'stripe-version': API_VERSION }),
    };
  }

  private route(method: string, pattern: string, endpoint: string, work: Work): Route {
    return { method, pattern, endpoint, delaysItself: true, handle: (request) => this.run(request, work) };
  }

  private readable(collection: CollectionName, kind: string, retrieve?: Work): Route[] {
    const get: Work = retrieve ?? ((call) => this.world.find(call.account, collection, kind, call.id));
    return [
      this.route('GET', `/v1/${collection}`, `${collection}.list`, (call) =>
        listPage(call.account.collections[collection], call.params, `/v1/${collection}`, filterOf(collection, call.params)),
      ),
      this.route('GET', `/v1/${collection}/:id`, `${collection}.retrieve`, get),
    ];
  }

  private async run(request: SandboxRequest, work: Work): Promise<SandboxResponse> {
    const requestId = `req_${secretText(14)}`;
    const headers = { 'request-id': requestId };
    try {
      const account = this.authenticate(request);
      const params =
        request.method === 'GET'
          ? parseNestedForm(request.query.toString())
          : { ...parseNestedForm(request.query.toString()), ...request.body };
      const call: Call = {
        account,
        params,
        id: request.params['id'] ?? '',
        cause: { requestId, idempotencyKey: request.headers['idempotency-key'] ?? null },
        path: request.path,
      };
      const response = await withIdempotency(account, request, () => {
        const result = work(call);
        const body = expandAll(
          result,
          params['expand'],
          (id) => this.world.load(account, id),
          (object, field) => this.subscriptions.include(account, object, field),
        );
        return { status: 200, body };
      });
      return { ...response, headers: { ...headers, ...response.headers } };
    } catch (error) {
      if (!(error instanceof StripeFault)) throw error;
      return { ...error.response(), headers };
    }
  }

  private portalSession({ account, params }: Call): Json {
    const customer = this.world.find(account, 'customers', 'customer', params['customer'], 'customer');
    const id = this.world.newId('bps');
    const url = `https://billing.stripe.com/p/session/${id}`;
    return { id, object: 'billing_portal.session', customer: customer['id'], return_url: params['return_url'] ?? null, url };
  }

  /** The page itself is not pretended: nothing is paid there. */
  private checkoutSession({ account, params }: Call): Json {
    const customer = this.world.find(account, 'customers', 'customer', params['customer'], 'customer');
    const lines: unknown[] = Array.isArray(params['line_items']) ? params['line_items'] : [];
    for (const line of lines) this.world.find(account, 'prices', 'price', record(line)['price'], 'line_items[0][price]');
    if (lines.length === 0) throw invalidRequest('You must provide at least one line item.', { param: 'line_items' });
    const id = this.world.newId('cs_test');
    const created = Math.floor(this.context.now() / 1000);
    return {
      id,
      object: 'checkout.session',
      mode: params['mode'],
      status: 'open',
      payment_status: 'unpaid',
      customer: customer['id'],
      success_url: params['success_url'] ?? null,
      cancel_url: params['cancel_url'] ?? null,
      created,
      expires_at: created + 86_400,
      url: `https://checkout.stripe.com/c/pay/${id}`,
    };
  }

  private identify(request: SandboxRequest): Principal {
    const code = text(request.body['code']);
    const refresh = text(request.body['refresh_token']);
    if (code) {
      const found = this.tokens.findCode(code);
      return found.row ? { account: found.row.account } : {};
    }
    if (refresh) {
      const found = this.tokens.checkRefresh(refresh);
      return { token: refresh, ...(found.grant ? { account: found.grant.account } : {}) };
    }
    const token = keyOf(request);
    if (!token) return {};
    if (token === this.context.secrets.clientSecret)
      return { token, account: request.headers['stripe-account'] ?? this.world.state.platformId };
    const verdict = this.tokens.check(token);
    return { token, ...(verdict.grant ? { account: verdict.grant.account } : {}) };
  }

  private authenticate(request: SandboxRequest): StripeAccount {
    const key = keyOf(request);
    if (!key)
      throw new StripeFault(401, {
        message: 'You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.',
        type: 'invalid_request_error',
      });
    const wanted = request.headers['stripe-account'];
    if (key === this.context.secrets.clientSecret) {
      if (!wanted || wanted === this.world.state.platformId) return this.world.account(this.world.state.platformId);
      if (!this.tokens.activeGrants(wanted).some((grant) => grant.kind === 'user')) throw noAccess(key, wanted);
      return this.world.account(wanted);
    }
    const verdict = this.tokens.check(key);
    if (!verdict.ok && verdict.reason === 'expired')
      throw new StripeFault(401, {
        code: 'api_key_expired',
        message: `Expired API Key provided: ${masked(key)}`,
        type: 'invalid_request_error',
      });
    // A revoked key is as unknown as one that never was.
    if (!verdict.ok) throw new StripeFault(401, { message: `Invalid API Key provided: ${masked(key)}`, type: 'invalid_request_error' });
    if (wanted && wanted !== verdict.grant.account) throw noAccess(key, wanted);
    if (request.method !== 'GET' && verdict.grant.scopes.includes('read_only')) {
      throw new StripeFault(403, {
        code: 'oauth_not_supported',
        message: 'This token only has read access to this account.',
        type: 'invalid_request_error',
      });
    }
    return this.world.account(verdict.grant.account);
  }

  private accountById({ account, id }: Call): Json {
    if (id === account.id) return accountObject(account);
    if (account.id === this.world.state.platformId && this.tokens.activeGrants(id).length > 0) return accountObject(this.world.account(id));
    throw noAccess('sk_test_****', id);
  }

  private customer({ account, id }: Call): Json {
    if (account.deleted.has(id)) return { id, object: 'customer', deleted: true };
    return this.world.find(account, 'customers', 'customer', id);
  }

  private createIntent({ account, params, cause }: Call): Json {
    const amount = Number(params['amount']);
    if (!Number.isInteger(amount) || amount < 1) throw invalidRequest('Invalid integer: amount', { param: 'amount' });
    const customer =
      params['customer'] === undefined ? null : this.world.find(account, 'customers', 'customer', params['customer'], 'customer').id;
    const intent = paymentIntentObject(this.world.newId('pi'), this.world.nowS(), {
      amount,
      currency: text(params['currency']) ?? 'usd',
      customer,
      secret: secretText(24),
      status: 'requires_payment_method',
      description: text(params['description']) ?? null,
      metadata: metadataOf(params['metadata']),
    });
    put(account.collections.payment_intents, intent);
    this.world.tell(account, 'payment_intent.created', intent, cause);
    const method = text(params['payment_method']);
    return params['confirm'] === 'true' && method ? this.subscriptions.confirm(account, intent, method, cause) : intent;
  }
}

function keyOf(request: SandboxRequest): string | undefined {
  const bearer = bearerOf(request.headers);
  if (bearer) return bearer;
  const basic = /^basic (.+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
  return basic ? Buffer.from(basic, 'base64').toString('utf8').split(':')[0] || undefined : undefined;
}

function noAccess(key: string, account: string): StripeFault {
  return new StripeFault(403, {
    code: 'account_invalid',
    message: `The provided key '${masked(key)}' does not have access to account '${account}' (or that account does not exist). Application access may have been revoked.`,
    type: 'invalid_request_error',
  });
}

function masked(key: string): string {
  return `${key.slice(0, 8)}${'*'.repeat(8)}${key.slice(-4)}`;
}
