import { html, type Html } from '../../http-api';
import type { LiveTopic } from './live-topics';

/**
 * The part of a page that follows the state by itself while the page is open, with a mark that says whether it does; without a script it
 * stays as it is. @param id of what the page is about, where it is about one thing
 */
export function liveRegion(topic: LiveTopic, content: Html, id?: string): Html {
  return html`<p class="live-mark soft" data-live-mark role="status"></p>
    <div id="live" data-live="${topic}${id !== undefined && `/${id}`}">${content}</div>`;
}
