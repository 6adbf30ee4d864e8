import { html, type Html } from '../http-api';

export const SEARCH_PATH = '/admin/search';

/** One for whatever has a page: ids, accounts, people. */
export function searchBox(sought: string | undefined): Html {
  return html`<form class="find" method="get" action="${SEARCH_PATH}" role="search" aria-label="Find anything">
    <input
      type="search"
      name="q"
      value="${sought}"
      aria-label="What to find"
      placeholder="Id, account, user"
      maxlength="200"
      autocomplete="off"
      spellcheck="false"
    />
    <button>Find</button>
  </form>`;
}
