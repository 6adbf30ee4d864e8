import { html, PLAIN_FRAME, type Html, type PageFrame, type SessionPrincipal } from '../http-api';
import { hiddenFields } from './form';
import { page } from './layout';

export interface Confirmation {
  readonly title: string;
  readonly question: string;
  /** Where the form goes when the answer is yes; the field `confirmed` says so. */
  readonly to: string;
  readonly label: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** What else is asked: fields of the form. */
  readonly asked?: Html;
  /** Where "Cancel" leads. */
  readonly back: string;
  readonly path: string;
  readonly caller: SessionPrincipal;
  /** Default: English, as Trestle itself. */
  readonly frame?: PageFrame;
}

/** Asks before something that cannot be taken back. */
export function confirmPage({ title, question, to, label, fields, asked, back, path, caller, frame = PLAIN_FRAME }: Confirmation): string {
  const body = html`<form class="card narrow" method="post" action="${to}">
    ${hiddenFields({ _csrf: caller.csrfToken, ...fields, confirmed: 'yes' })}
    <p>${question}</p>
    ${asked}
    <div class="actions">
      <button id="confirm" class="danger">${label}</button> <a href="${back}">${frame.language.say('script.cancel')}</a>
    </div>
  </form>`;
  return page({ title, caller, path, body, frame });
}
