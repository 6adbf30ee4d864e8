import { html, type Html } from '../../http-api';
import { ERROR_KINDS, type ErrorCode } from '../../errors';
import { banner } from '../layout';

/** What the page says after one of its own forms. */
export const NOTICES = {
  revoked: 'Disconnected. The access has ended at the provider as well.',
  disconnected:
    'Disconnected, and what we held is deleted. The provider did not confirm that the access has ended: to be certain, remove the app there too.',
  sync: 'The sync has been started.',
  syncing: 'A sync is under way already.',
} as const;
export type Notice = keyof typeof NOTICES;

export interface Outcome {
  readonly success?: string;
  readonly error?: string;
  readonly notice?: string;
}

/** The news that the address tells of. Only our own words are shown, nothing of what the address says. */
export function outcomeBanner({ success, error, notice }: Outcome, providerName: (key: string) => string | undefined): Html | undefined {
  if (error !== undefined) return banner('bad', sentenceOf(error));
  const name = success === undefined ? undefined : providerName(success);
  if (name !== undefined) return banner('good', `${name} is connected.`);
  if (notice !== undefined && Object.hasOwn(NOTICES, notice)) return banner('good', NOTICES[notice as Notice]);
  return undefined;
}

function sentenceOf(code: string): string {
  const kind = Object.hasOwn(ERROR_KINDS, code) ? ERROR_KINDS[code as ErrorCode] : ERROR_KINDS.connect_failed;
  return `${kind.detail} ${kind.nextStep}`;
}

/** An error on a card: what is wrong, and what to do. */
export function faultNote(fault: { readonly message: string; readonly nextStep: string }): Html {
  return html`<p class="bad">${fault.message} ${fault.nextStep}</p>`;
}
