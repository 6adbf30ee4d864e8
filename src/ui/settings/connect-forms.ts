import { html, type Html } from '../../http-api';
import { POLICY_CHOICES, type Provider } from '../../integrations';
import { actionForm, hiddenFields } from '../form';
import { INTEGRATIONS_PATH } from '../layout';
import type { ProviderCard } from './integration-cards';

/** What connects an account: by consent for the person or the organization, or with a key. */
export function connectForms({ provider, accounts, forOrganization }: ProviderCard, csrfToken: string): Html {
  const isFirst = accounts.length === 0;
  const id = `connect-${provider.key}`;
  const connect =
    provider.oauth2 &&
    actionForm({
      to: `${INTEGRATIONS_PATH}/${provider.key}/connect`,
      label: isFirst ? 'Connect' : 'Connect another',
      csrfToken,
      id,
      kind: isFirst ? 'primary' : 'plain',
      about: provider.name,
    });
  const key =
    provider.apiKey &&
    keyForm(provider, csrfToken, { id: `key-${provider.key}`, label: 'Connect', whose: forOrganization && whoseField() });
  return html`${connect} ${connect && forOrganization && part('Connect for the organization', organizationForm(provider, csrfToken, id))}
  ${key && (connect ? part('Connect with a key', key) : key)}`;
}

/** Asks for a key. @param owner of a connection that gets another key: stays whose it is */
export function keyForm(
  provider: Provider,
  csrfToken: string,
  { id, label, owner, whose }: { id: string; label: string; owner?: 'user' | 'organization'; whose?: Html | false },
): Html {
  return html`<form class="fields" method="post" action="${INTEGRATIONS_PATH}/${provider.key}/key">
    ${hiddenFields({ _csrf: csrfToken, owner: owner === 'organization' ? owner : undefined })}
    <label for="${id}">${provider.name} key</label>
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
    <p class="soft" id="${id}-help">${provider.apiKey?.help}</p>
    ${whose}
    <button class="primary">${label}<span class="unseen"> ${provider.name} with this key</span></button>
  </form>`;
}

/** Says before the consent what is given to whom: afterwards it would be too late to have been asked. */
function organizationForm(provider: Provider, csrfToken: string, id: string): Html {
  return html`<form class="fields" method="post" action="${INTEGRATIONS_PATH}/${provider.key}/connect">
    ${hiddenFields({ _csrf: csrfToken, owner: 'organization' })}
    <label
      >Who may use and manage it
      <select name="people">
        ${choices()}
      </select></label
    >
    <button id="${id}-organization">Connect for the organization<span class="unseen"> ${provider.name}</span></button>
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

function choices(): Html[] {
  return Object.entries(POLICY_CHOICES).map(([choice, { words }]) => html`<option value="${choice}">${words}</option>`);
}

function part(summary: string, content: Html): Html {
  return html`<details>
    <summary>${summary}</summary>
    ${content}
  </details>`;
}
