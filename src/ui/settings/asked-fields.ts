import { html, type Html } from '../../http-api';
import type { Provider } from '../../integrations';

/** A form that came to nothing, shown again with what was filled in; never with a secret. */
export interface Attempt {
  readonly provider: string;
  readonly form: 'connect' | 'organization' | 'key';
  readonly fields: Readonly<Record<string, string>>;
  /** By field: a sentence. */
  readonly faults: Readonly<Record<string, string>>;
  /** What else went wrong. */
  readonly message?: string;
}

const PREFIX = 'field.';

export const isFieldName = (name: string): boolean => name.startsWith(PREFIX);

/** What a form's fields hold, by name: `field.subdomain` and the like. */
export function fieldsIn(form: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = Object.entries(form).filter(([name]) => isFieldName(name));
  return Object.fromEntries(given.map(([name, value]) => [name.slice(PREFIX.length), String(value)]));
}

/**
 * What the provider asks for at the connect, with what is wrong beside it.
 *
 * @param id of the form, unique on the page
 * @param values what was filled in before, or is known
 */
export function askedFields(
  { ask = {} }: Provider,
  { id, values = {}, faults = {} }: { id: string; values?: Readonly<Record<string, unknown>>; faults?: Attempt['faults'] },
): Html {
  return html`${Object.entries(ask).map(([name, { label, pattern, example, secret = false }]) => {
    const field = `${id}-${name}`;
    const fault = Object.hasOwn(faults, name) ? faults[name] : undefined;
    const value = !secret && Object.hasOwn(values, name) && typeof values[name] === 'string' ? values[name] : undefined;
    return html`<label for="${field}">${label}</label>
      <input
        id="${field}"
        name="${PREFIX + name}"
        type="${secret ? 'password' : 'text'}"
        value="${value ?? ''}"
        placeholder="${secret ? '' : example}"
        ${!secret && html`pattern="${pattern.source.replace(/^\^|\$$/g, '')}"`}
        required
        maxlength="1000"
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        ${fault !== undefined && html`aria-invalid="true" aria-describedby="${field}-fault"`}
      />
      ${fault !== undefined && html`<p class="bad" id="${field}-fault" role="alert">${fault}</p>`}`;
  })}`;
}
