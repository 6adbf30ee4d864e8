import { html, type SessionPrincipal } from '../http-api';
import { actionForm } from './form';
import { page } from './layout';

export interface Confirmation {
  readonly title: string;
  readonly question: string;
  /** Where the form goes when the answer is yes; the field `confirmed` says so. */
  readonly to: string;
  readonly label: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** Where "Cancel" leads. */
  readonly back: string;
  readonly path: string;
  readonly caller: SessionPrincipal;
}

/** Asks before something that cannot be taken back. */
export function confirmPage({ title, question, to, label, fields, back, path, caller }: Confirmation): string {
  const form = actionForm({
    to,
    label,
    csrfToken: caller.csrfToken,
    id: 'confirm',
    kind: 'danger',
    fields: { ...fields, confirmed: 'yes' },
  });
  const body = html`<div class="card">
    <p>${question}</p>
    <div class="actions">${form} <a href="${back}">Cancel</a></div>
  </div>`;
  return page({ title, caller, path, body });
}
