import { html, type Html } from '../../http-api';
import type { LiveTopic } from './live-topics';

/** The part of a page that follows the state by itself while the page is open, with a mark that says whether it does; without a script it stays as it is. */
export function liveRegion(topic: LiveTopic, content: Html): Html {
  return html`<p class="live-mark soft" data-live-mark role="status"></p>
    <div id="live" data-live="${topic}">${content}</div>`;
}
