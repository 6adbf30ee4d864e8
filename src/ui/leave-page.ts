import { html, type PageFrame, type SessionPrincipal } from '../http-api';
import { INTEGRATIONS_PATH, page } from './layout';

export interface Leaving {
  readonly to: string;
  /** The provider's. */
  readonly name: string;
  readonly caller: SessionPrincipal;
  readonly frame: PageFrame;
}

/**
 * Leads from a form to a provider. Not by a redirect: browsers hold all redirects after a form against `form-action`, and a provider
 * may send people on to origins that nobody can list (Slack's workspaces): https://www.w3.org/TR/CSP3/#directive-form-action
 */
export function leavePage({ to, name, caller, frame }: Leaving): string {
  const { language } = frame;
  const body = html`<p><a href="${to}">${language.say('leave.goOn', { provider: name })}</a></p>`;
  const title = language.say('leave.title', { provider: name });
  return page({ title, caller, path: INTEGRATIONS_PATH, body, refreshTo: to, frame });
}
