import { z } from 'zod';
import { html, type Html, type SessionPrincipal } from '../../http-api';
import { newDestination, OUTBOX_EVENT_TYPES, type Destination } from '../../integrations';
import { hiddenFields, textField } from '../form';
import { DESTINATIONS_PATH } from './admin-links';

const text = z.string().max(20_000).optional();
/** As a browser sends it: one chosen box is a text, several are a list, none is nothing. */
export const destinationForm = z.strictObject({
  name: text,
  url: text,
  events: z.union([z.string(), z.array(z.string())]).optional(),
  webhookTypes: text,
  match: text,
  scope: z.literal('all').optional(),
  ordered: z.literal('yes').optional(),
});
export type DestinationFields = z.infer<typeof destinationForm>;

/** What was filled in, and what is wrong with it, a sentence to a field. */
export interface FilledForm {
  readonly fields: DestinationFields;
  readonly faults: Readonly<Record<string, string>>;
}

/** The fields of one that there is. */
export function fieldsOf({ name, url, events, webhookTypes, match }: Destination): DestinationFields {
  return {
    name,
    url,
    events: [...events],
    webhookTypes: webhookTypes.join('\n'),
    match: Object.entries(match ?? {})
      .map(([path, values]) => `${path} = ${values.map(writtenValue).join(', ')}`)
      .join('\n'),
  };
}

/** Reads it as the API would. */
export function readDestination(fields: DestinationFields): z.infer<typeof newDestination> | { faults: Record<string, string> } {
  const read = newDestination.safeParse({
    name: fields.name?.trim() || undefined,
    url: fields.url?.trim(),
    events: fields.events === undefined ? [] : [fields.events].flat(),
    webhookTypes: linesOf(fields.webhookTypes),
    match: matchOf(linesOf(fields.match)),
    scope: fields.scope,
    ordered: fields.ordered === 'yes',
  });
  if (read.success) return read.data;
  const faults: Record<string, string> = {};
  for (const { path, message } of read.error.issues) faults[String(path[0] ?? 'name')] ??= message;
  if (faults['events'] !== undefined) faults['events'] = 'Choose what it is to be told of.';
  return { faults };
}

/** @param to where it goes; what stays as it was made (whose it is, its order) is asked of a new one alone */
export function destinationFields({ fields, faults }: FilledForm, { to, label, isNew, caller }: FormPlace): Html {
  const chosen = [fields.events ?? []].flat();
  const check = (name: string, value: string, words: Html | string, isChosen: boolean) =>
    html`<label class="check"><input type="checkbox" name="${name}" value="${value}" ${isChosen && html`checked`} /> ${words}</label>`;
  return html`<form class="fields card" method="post" action="${to}">
    ${hiddenFields({ _csrf: caller.csrfToken })} ${textField('name', 'Name', fields.name, { fault: faults['name'] })}
    ${textField('url', 'Address, where messages are sent by POST', fields.url, { fault: faults['url'] })}
    <fieldset>
      <legend>What it is told of</legend>
      ${OUTBOX_EVENT_TYPES.map((type) => check('events', type, html`<code>${type}</code>`, chosen.includes(type)))}
      ${faultLine(faults['events'])}
    </fieldset>
    ${area('webhookTypes', 'Types of webhooks, a line each: provider/type, or a beginning and *. Empty: all', fields.webhookTypes, faults['webhookTypes'])}
    ${area('match', 'Only messages in which, a line each: data.provider = acme, other. Empty: all', fields.match, faults['match'])}
    ${isNew && caller.role === 'operator' && check('scope', 'all', 'It hears of all organizations', fields.scope === 'all')}
    ${isNew && check('ordered', 'yes', 'Messages about the same object come in their order', fields.ordered === 'yes')}
    <div class="actions"><button class="primary">${label}</button> <a href="${DESTINATIONS_PATH}">Cancel</a></div>
  </form>`;
}

export interface FormPlace {
  readonly to: string;
  readonly label: string;
  readonly isNew: boolean;
  readonly caller: SessionPrincipal;
}

function area(name: string, label: string, value: string | undefined, fault: string | undefined): Html {
  return html`<label
    >${label}
    <textarea name="${name}" rows="3" spellcheck="false" ${fault !== undefined && html`aria-invalid="true"`}>${value}</textarea>
    ${faultLine(fault)}</label
  >`;
}

function faultLine(fault: string | undefined): Html | undefined {
  return fault === undefined ? undefined : html`<span class="bad" role="alert">${fault}</span>`;
}

function linesOf(value: string | undefined): string[] {
  return (value ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function matchOf(lines: readonly string[]): Record<string, unknown[]> | null {
  if (lines.length === 0) return null;
  return Object.fromEntries(
    lines.map((line) => {
      const [path = '', ...rest] = line.split('=');
      return [
        path.trim(),
        rest
          .join('=')
          .split(',')
          .map((value) => readValue(value.trim())),
      ];
    }),
  );
}

/** `3`, `true` and `null` are what JSON makes of them; `"3"` is a text. */
function readValue(written: string): unknown {
  try {
    const value: unknown = JSON.parse(written);
    return typeof value === 'object' && value !== null ? written : value;
  } catch {
    return written;
  }
}

function writtenValue(value: string | number | boolean | null): string {
  return typeof value === 'string' && readValue(value) === value && !/[,\n]/.test(value) ? value : JSON.stringify(value);
}
