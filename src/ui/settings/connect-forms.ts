import { html, type Html } from '../../http-api';
import { POLICY_CHOICES, policyChoice, type ConnectionPolicy, type PolicyChoice, type Provider } from '../../integrations';
import { askedFields, type Attempt } from './asked-fields';
import { actionForm, hiddenFields } from '../form';
import { INTEGRATIONS_PATH } from '../layout';
import type { ProviderCard } from './integration-cards';

/** What connects an account: by consent for the person or the organization, with a key, or with a client of one's own. */
export function connectForms({ provider, accounts, forOrganization }: ProviderCard, csrfToken: string, attempt?: Attempt): Html {
  const isFirst = accounts.length === 0;
  const id = `connect-${provider.key}`;
  const bySigningIn = provider.oauth2 !== undefined && provider.oauth2.grant !== 'client_credentials';
  const label = isFirst ? 'Connect' : 'Connect another';
  const tried = (form: Attempt['form']) => (attempt?.provider === provider.key && attempt.form === form ? attempt : undefined);
  const connect = bySigningIn && (provider.ask ? askingForm(provider, csrfToken, { id, label, attempt: tried('connect') }) : plainForm());
  const key =
    (provider.apiKey ?? (provider.oauth2 && !bySigningIn)) &&
    keyForm(provider, csrfToken, {
      id: `key-${provider.key}`,
      label: 'Connect',
      whose: forOrganization && whoseField(),
      attempt: tried('key'),
    });
  const organization =
    connect && forOrganization && organizationForm(provider, csrfToken, { id: `${id}-organization`, attempt: tried('organization') });
  return html`${connect && (provider.ask && !isFirst ? part(label, connect, tried('connect')) : connect)}
  ${organization && part('Connect for the organization', organization, tried('organization'))}
  ${key && (connect ? part('Connect with a key', key, tried('key')) : key)}`;

  function plainForm(): Html {
    const to = `${INTEGRATIONS_PATH}/${provider.key}/connect`;
    return actionForm({ to, label, csrfToken, id, kind: isFirst ? 'primary' : 'plain', about: provider.name });
  }
}

interface Asking {
  readonly id: string;
  readonly label: string;
  readonly attempt: Attempt | undefined;
}

/** Asks for what the provider's addresses need, before the person is sent there. */
function askingForm(provider: Provider, csrfToken: string, { id, label, attempt }: Asking): Html {
  return html`<form class="fields" method="post" action="${INTEGRATIONS_PATH}/${provider.key}/connect">
    ${hiddenFields({ _csrf: csrfToken })} ${whatWentWrong(attempt)} ${askedFields(provider, { id, ...tellingOf(attempt) })}
    <button id="${id}" class="primary">${label}<span class="unseen"> ${provider.name}</span></button>
  </form>`;
}

export interface KeyFormOptions {
  readonly id: string;
  readonly label: string;
  /** Of a connection that gets another key: stays whose it is. */
  readonly owner?: 'user' | 'organization';
  readonly whose?: Html | false;
  readonly attempt?: Attempt | undefined;
  /** What a connection knows of what is asked. */
  readonly known?: Readonly<Record<string, unknown>>;
}

/** Asks for a key, and for what belongs to it. */
export function keyForm(provider: Provider, csrfToken: string, { id, label, owner, whose, attempt, known = {} }: KeyFormOptions): Html {
  const { apiKey } = provider;
  return html`<form class="fields" method="post" action="${INTEGRATIONS_PATH}/${provider.key}/key">
    ${hiddenFields({ _csrf: csrfToken, owner: owner === 'organization' ? owner : undefined })} ${whatWentWrong(attempt)}
    ${askedFields(provider, { id, values: known, ...tellingOf(attempt) })}
    ${
      apiKey &&
      html`<label for="${id}">${provider.name} key</label>
        <input
          id="${id}"
          name="apiKey"
          type="password"
          required
          maxlength="1000"
          autocomplete="off"
          spellcheck="false"
          aria-describedby="${id}-help"
        />
        <p class="soft" id="${id}-help">${apiKey.help}</p>`
    }
    ${whose}
    <button class="primary">${label}<span class="unseen"> ${provider.name} with ${apiKey ? 'this key' : 'this client'}</span></button>
  </form>`;
}

const tellingOf = (attempt: Attempt | undefined) => (attempt ? { values: attempt.fields, faults: attempt.faults } : {});

function whatWentWrong(attempt: Attempt | undefined): Html | false {
  return attempt?.message !== undefined && html`<p class="bad" role="alert">${attempt.message}</p>`;
}

/** Says before the consent what is given to whom: afterwards it would be too late to have been asked. */
function organizationForm(provider: Provider, csrfToken: string, { id, attempt }: Omit<Asking, 'label'>): Html {
  return html`<form class="fields" method="post" action="${INTEGRATIONS_PATH}/${provider.key}/connect">
    ${hiddenFields({ _csrf: csrfToken, owner: 'organization' })} ${whatWentWrong(attempt)}
    ${askedFields(provider, { id, ...tellingOf(attempt) })}
    <label
      >Who may use and manage it
      <select name="people">
        ${choices()}
      </select></label
    >
    <button id="${id}">Connect for the organization<span class="unseen"> ${provider.name}</span></button>
  </form>`;
}

function whoseField(): Html {
  return html`<label
    >Whose it will be
    <select name="people">
      <option value="">Yours</option>
      <optgroup label="Your organization’s">${choices()}</optgroup>
    </select></label
  >`;
}

/** Of a connection of the organization: gives it to more of its people, or takes it back. */
export function policyForm({ id, ...policy }: ConnectionPolicy & { readonly id: string }, about: string, csrfToken: string): Html {
  return html`<details id="policy-${id}">
    <summary>Who may use and manage it<span class="unseen"> ${about}</span></summary>
    <form class="fields" method="post" action="${INTEGRATIONS_PATH}/connections/${id}/policy">
      ${hiddenFields({ _csrf: csrfToken })}
      <label
        >Who may use and manage it
        <select name="people">
          ${choices(policyChoice(policy))}
        </select></label
      >
      <button id="change-policy-${id}">Change<span class="unseen"> who may use and manage ${about}</span></button>
    </form>
  </details>`;
}

function choices(chosen?: PolicyChoice): Html[] {
  return Object.entries(POLICY_CHOICES).map(([choice, { words }]) =>
    choice === chosen ? html`<option value="${choice}" selected>${words}</option>` : html`<option value="${choice}">${words}</option>`,
  );
}

function part(summary: string, content: Html, attempt: Attempt | undefined): Html {
  return html`<details ${attempt && html`open`}>
    <summary>${summary}</summary>
    ${content}
  </details>`;
}
