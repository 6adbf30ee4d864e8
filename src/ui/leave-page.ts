import { html, type SessionPrincipal } from '../http-api';
import { INTEGRATIONS_PATH, page } from './layout';

/**
 * Leads from a form to a provider. Not by a redirect: browsers hold all redirects after a form against `form-action`, and a provider
 * may send people on to origins that nobody can list (Slack's workspaces): https://www.w3.org/TR/CSP3/#directive-form-action
 */
export function leavePage({ to, name, caller }: { to: string; name: string; caller: SessionPrincipal }): string {
  const body = html`<p><a href="${to}">Go on to ${name}</a></p>`;
  return page({ title: `Connecting ${name}`, caller, path: INTEGRATIONS_PATH, body, refreshTo: to });
}
