import { html, type Html } from '../../http-api';
import { isConsented, POLICY_CHOICES, policyChoice, type ConnectionPolicy, type Provider } from '../../integrations';
import type { Language } from '../../languages';
import { askedFields, type Attempt } from './asked-fields';
import { actionForm, hiddenFields } from '../form';
import { INTEGRATIONS_PATH } from '../layout';
import type { ProviderCard } from './integration-cards';

/** What every form of a card needs. */
export interface FormContext {
  readonly language: Language;
  readonly csrfToken: string;
  /** The form that was just sent and came to nothing. */
  readonly attempt?: Attempt;
}

/** What connects an account: by consent for the person or the organization, with a key, a client of one's own, or what a sign-in call takes. */
export function connectForms({ provider, accounts, forOrganization }: ProviderCard, at: FormContext): Html {
  const { language, csrfToken, attempt } = at;
  const isFirst = accounts.length === 0;
  const id = `connect-${provider.key}`;
  const bySigningIn = isConsented(provider.oauth2);
  const label = language.say(isFirst ? 'card.connect' : 'card.connectAnother');
  const tried = (form: Attempt['form']) =>
    attempt?.provider === provider.key && attempt.form === form && !attempt.again ? attempt : undefined;
  const connect = bySigningIn && (provider.ask ? askingForm(provider, at, { id, label, attempt: tried('connect') }) : plainForm());
  const key =
    (provider.apiKey ?? (provider.oauth2 && !bySigningIn)) &&
    keyForm(provider, at, {
      id: `key-${provider.key}`,
      label: language.say('card.connect'),
      whose: forOrganization && whoseField(language, tried('key')?.people),
      attempt: tried('key'),
    });
  const organization =
    connect && forOrganization && organizationForm(provider, at, { id: `${id}-organization`, attempt: tried('organization') });
  return html`${connect && (provider.ask && !isFirst ? part(label, connect, tried('connect')) : connect)}
  ${organization && part(language.say('card.connectForOrganization'), organization, tried('organization'))}
  ${key && (connect ? part(language.say('card.connectWithKey'), key, tried('key')) : key)}`;

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
function askingForm(provider: Provider, { csrfToken, language }: FormContext, { id, label, attempt }: Asking): Html {
  return html`<form class="fields" method="post" action="${INTEGRATIONS_PATH}/${provider.key}/connect">
    ${hiddenFields({ _csrf: csrfToken })} ${whatWentWrong(attempt)} ${askedFields(provider, { id, language, ...tellingOf(attempt) })}
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
  /** The connection that is connected anew. */
  readonly again?: string;
  /** What a connection knows of what is asked. */
  readonly known?: Readonly<Record<string, unknown>>;
}

/** Asks for a key, and for what belongs to it. */
export function keyForm(
  provider: Provider,
  { csrfToken, language }: FormContext,
  { id, label, owner, whose, attempt, again, known = {} }: KeyFormOptions,
): Html {
  const { apiKey, name } = provider;
  const withWhat = language.say(apiKey ? 'card.withKey' : provider.oauth2?.signIn ? 'card.withSignIn' : 'card.withClient', {
    provider: name,
  });
  const fault = attempt?.faults['apiKey'];
  return html`<form class="fields" id="form-${id}" method="post" action="${INTEGRATIONS_PATH}/${provider.key}/key">
    ${hiddenFields({ _csrf: csrfToken, owner: owner === 'organization' ? owner : undefined, again })} ${whatWentWrong(attempt)}
    ${askedFields(provider, { id, language, values: known, ...tellingOf(attempt) })}
    ${
      apiKey &&
      html`<label for="${id}">${language.say('card.key', { provider: name })}</label>
        <input
          id="${id}"
          name="apiKey"
          type="password"
          required
          maxlength="1000"
          autocomplete="off"
          spellcheck="false"
          ${fault !== undefined && html`aria-invalid="true"`}
          aria-describedby="${fault !== undefined && `${id}-fault `}${id}-help"
        />
        ${fault !== undefined && html`<p class="bad" id="${id}-fault" role="alert">${fault}</p>`}
        <p class="soft" id="${id}-help">${language.text(apiKey.help, provider.translations)}</p>`
    }
    ${whose}
    <button class="primary">${label}<span class="unseen"> ${withWhat}</span></button>
  </form>`;
}

const tellingOf = (attempt: Attempt | undefined) => (attempt ? { values: attempt.fields, faults: attempt.faults } : {});

function whatWentWrong(attempt: Attempt | undefined): Html | false {
  return attempt?.message !== undefined && html`<p class="bad" role="alert">${attempt.message}</p>`;
}

/** Says before the consent what is given to whom: afterwards it would be too late to have been asked. */
function organizationForm(provider: Provider, { csrfToken, language }: FormContext, { id, attempt }: Omit<Asking, 'label'>): Html {
  return html`<form class="fields" method="post" action="${INTEGRATIONS_PATH}/${provider.key}/connect">
    ${hiddenFields({ _csrf: csrfToken, owner: 'organization' })} ${whatWentWrong(attempt)}
    ${askedFields(provider, { id, language, ...tellingOf(attempt) })}
    <label
      >${language.say('people.legend')}
      <select name="people">
        ${choices(language, attempt?.people)}
      </select></label
    >
    <button id="${id}">${language.say('card.connectForOrganization')}<span class="unseen"> ${provider.name}</span></button>
  </form>`;
}

function whoseField(language: Language, chosen?: string): Html {
  return html`<label
    >${language.say('people.whose')}
    <select name="people">
      <option value="">${language.say('people.yours')}</option>
      <optgroup label="${language.say('people.organization')}">${choices(language, chosen)}</optgroup>
    </select></label
  >`;
}

/** Of a connection of the organization: gives it to more of its people, or takes it back. */
export function policyForm(
  { id, ...policy }: ConnectionPolicy & { readonly id: string },
  about: string,
  { csrfToken, language }: FormContext,
): Html {
  return html`<details id="policy-${id}">
    <summary>${language.say('people.legend')}<span class="unseen"> ${about}</span></summary>
    <form class="fields" method="post" action="${INTEGRATIONS_PATH}/connections/${id}/policy">
      ${hiddenFields({ _csrf: csrfToken })}
      <label
        >${language.say('people.legend')}
        <select name="people">
          ${choices(language, policyChoice(policy))}
        </select></label
      >
      <button id="change-policy-${id}">
        ${language.say('people.change')}<span class="unseen"> ${language.say('people.changeAbout', { about })}</span>
      </button>
    </form>
  </details>`;
}

function choices(language: Language, chosen?: string): Html[] {
  return Object.entries(POLICY_CHOICES).map(([choice, { words }]) =>
    choice === chosen
      ? html`<option value="${choice}" selected>${language.text(words)}</option>`
      : html`<option value="${choice}">${language.text(words)}</option>`,
  );
}

function part(summary: string, content: Html, attempt: Attempt | undefined): Html {
  return html`<details ${attempt && html`open`}>
    <summary>${summary}</summary>
    ${content}
  </details>`;
}
