import { html, type Html } from '../../http-api';
import type { Provider } from '../../integrations';
import type { Language } from '../../languages';

/**
 * A form that came to nothing, shown again with what was filled in; never with a secret: a key that has not proved itself is neither put
 * into a page nor kept here. The script sends such a form from where it stands, so that the key stays in its field and goes nowhere else.
 */
export interface Attempt {
  readonly provider: string;
  readonly form: 'connect' | 'organization' | 'key';
  /** Which of the provider's forms for a key: a connection's id, where it is to be connected anew. */
  readonly again?: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  /** Whose it was to be, as chosen. */
  readonly people?: string | undefined;
  /** By field, `apiKey` among them: a sentence. */
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

export interface AskedFieldsOptions {
  /** Of the form, unique on the page. */
  readonly id: string;
  readonly language: Language;
  /** What was filled in before, or is known. */
  readonly values?: Readonly<Record<string, unknown>>;
  readonly faults?: Attempt['faults'];
}

/** In a person's language: what is wrong with each of these fields. */
export function faultsIn(language: Language, { ask = {}, name, translations }: Provider, fields: readonly string[]): Attempt['faults'] {
  const told = fields.map((field) => {
    const { label = field, example = '' } = ask[field] ?? {};
    return [field, language.say('field.wrong', { field: language.text(label, translations), provider: name, example })];
  });
  return Object.fromEntries(told) as Attempt['faults'];
}

/** What the provider asks for at the connect, with what is wrong beside it. */
export function askedFields({ ask = {}, translations }: Provider, { id, language, values = {}, faults = {} }: AskedFieldsOptions): Html {
  return html`${Object.entries(ask).map(([name, { label, pattern, example, secret = false }]) => {
    const field = `${id}-${name}`;
    const fault = Object.hasOwn(faults, name) ? faults[name] : undefined;
    const value = !secret && Object.hasOwn(values, name) && typeof values[name] === 'string' ? values[name] : undefined;
    return html`<label for="${field}">${language.text(label, translations)}</label>
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
