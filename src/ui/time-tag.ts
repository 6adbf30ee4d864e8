import { html, type Html } from '../http-api';
import { ENGLISH, type Language } from '../languages';
import { relativeTime, timeUntil } from './relative-time';

/** "3 minutes ago", with the exact time at hand. */
export function timeTag(at: Date | string, nowMs: number, language: Language = ENGLISH): Html {
  const date = new Date(at);
  return html`<time datetime="${date.toISOString()}" title="${exact(date)}">${relativeTime(date, nowMs, language)}</time>`;
}

/** "in 40 s"; the script counts down. */
export function untilTag(at: Date, nowMs: number, language: Language = ENGLISH): Html {
  const left = Math.max(0, Math.ceil((at.getTime() - nowMs) / 1_000));
  return html`<time datetime="${at.toISOString()}" title="${exact(at)}" data-left="${left}">${timeUntil(at, nowMs, language)}</time>`;
}

/** The exact time, and how long ago it was; the script puts the reader's own time first. */
export function exactTime(at: Date | string, nowMs: number): Html {
  const date = new Date(at);
  return html`<time datetime="${date.toISOString()}" data-exact>${exact(date)}</time>
    <span class="soft">(${relativeTime(date, nowMs)})</span>`;
}

function exact(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** "1.2 s", "3 min 5 s"; never broken between number and unit. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}\u00a0s`;
  return `${Math.floor(ms / 60_000)}\u00a0min ${Math.round((ms % 60_000) / 1_000)}\u00a0s`;
}
