import { errorIn, html, htmlPage, providerSign, productLink, type PageFrame } from '../../http-api';
import { ERROR_KINDS, type ErrorCode } from '../../errors';

/** What the page that opened the window is told, as it is posted to it. */
export type ConnectResult =
  | { readonly type: 'trestle:connect'; readonly status: 'connected'; readonly provider: string; readonly connectionId: string }
  | { readonly type: 'trestle:connect'; readonly status: 'error'; readonly provider: string; readonly error: ErrorCode };

export interface DonePage {
  /** Undefined where there is nothing to tell: it was told already, or somebody opened the address by hand. */
  readonly result: ConnectResult | undefined;
  readonly providerName: string;
  /** Origins whose pages may hear the result. */
  readonly origins: readonly string[];
  readonly productUrl: string | undefined;
}

/** The end of a connect whose caller named no page of its own: needs no session, and works without a script. */
export function connectDonePage({ result, providerName, origins, productUrl }: DonePage, frame: PageFrame): string {
  const { language } = frame;
  const failure = result?.status === 'error' ? errorIn(language, { code: result.error, ...ERROR_KINDS[result.error] }) : undefined;
  const body = html`${failure && html`<p>${failure.detail} ${failure.nextStep}</p>`}
    <p>${language.say('done.close')}</p>
    ${productLink(productUrl, language)}
    <div id="outcome" ${result && html`data-result="${JSON.stringify(result)}" data-origins="${JSON.stringify(origins)}"`}></div>
    <script src="/connect/done.js"></script>`;
  const title = result?.status === 'connected' ? 'done.connected' : result ? 'done.notConnected' : 'done.nothing';
  const sign = result && providerSign({ key: result.provider, name: providerName });
  return htmlPage(language.say(title, { provider: providerName }), body, frame, sign);
}
