import { css } from 'lit';

const dark = css`
  --_ink: var(--trestle-ink, #e6eaf0);
  --_soft: var(--trestle-soft, #a0abba);
  --_line: var(--trestle-line, #4a5666);
  --_card: var(--trestle-card, #1a2029);
  --_good: var(--trestle-good, #4cc38a);
  --_bad: var(--trestle-bad, #ff8a80);
  --_warn: var(--trestle-warn, #e3b341);
  --_brand: var(--trestle-brand, #7aa2ff);
  --_on-brand: var(--trestle-on-brand, #10182b);
  color-scheme: dark;
`;

/** Adopted style sheets, so that a page's policy on styles has nothing against them. Every colour is a variable of the product's; by default those of Trestle's own pages (`src/ui/assets/colors.css`). */
export const styles = css`
  :host {
    --_ink: var(--trestle-ink, #1c2430);
    --_soft: var(--trestle-soft, #55606f);
    --_line: var(--trestle-line, #d5dbe3);
    --_card: var(--trestle-card, #ffffff);
    --_good: var(--trestle-good, #166c41);
    --_bad: var(--trestle-bad, #b3261e);
    --_warn: var(--trestle-warn, #8a5b00);
    --_brand: var(--trestle-brand, #2456c9);
    --_on-brand: var(--trestle-on-brand, #ffffff);
    --_radius: var(--trestle-radius, 0.5rem);
    display: block;
    color-scheme: light;
    color: var(--_ink);
    font: var(--trestle-font, 1rem/1.5 system-ui, sans-serif);
    overflow-wrap: anywhere;
  }
  :host([hidden]) {
    display: none;
  }
  :host([theme='dark']) {
    ${dark}
  }
  @media (prefers-color-scheme: dark) {
    :host(:not([theme='light'])) {
      ${dark}
    }
  }
  * {
    box-sizing: border-box;
  }
  .list {
    display: grid;
    gap: 1rem;
    grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr));
    align-items: start;
    list-style: none;
    margin: 0;
    padding: 0;
  }
  .card {
    background: var(--_card);
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    padding: 1rem;
  }
  .head,
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    align-items: center;
  }
  .actions {
    margin-top: 0.75rem;
  }
  .name {
    flex: 1;
    font-weight: 600;
    font-size: 1.0625rem;
  }
  .account {
    border-top: 1px solid var(--_line);
    margin-top: 0.75rem;
    padding-top: 0.75rem;
  }
  p {
    margin: 0.5rem 0;
  }
  .soft {
    color: var(--_soft);
    font-size: 0.875rem;
  }
  .bad {
    color: var(--_bad);
  }
  .pill {
    border: 1px solid currentColor;
    border-radius: 1rem;
    padding: 0 0.6rem;
    font-size: 0.8125rem;
  }
  .pill.good {
    color: var(--_good);
  }
  .pill.warn {
    color: var(--_warn);
  }
  .pill.none {
    color: var(--_soft);
  }
  progress {
    width: 100%;
    accent-color: var(--_brand);
  }
  button,
  input {
    font: inherit;
    color: inherit;
    background: transparent;
    border: 1px solid var(--_soft);
    border-radius: var(--_radius);
    padding: 0.375rem 0.875rem;
    min-height: 2.25rem;
  }
  input {
    display: block;
    width: 100%;
    margin-bottom: 0.5rem;
  }
  button {
    cursor: pointer;
  }
  button[disabled] {
    cursor: default;
    color: var(--_soft);
    border-style: dashed;
  }
  button.primary:not([disabled]) {
    color: var(--_on-brand);
    background: var(--_brand);
    border-color: var(--_brand);
  }
  button.danger {
    color: var(--_bad);
    border-color: currentColor;
  }
  :focus-visible {
    outline: 3px solid var(--_brand);
    outline-offset: 2px;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
