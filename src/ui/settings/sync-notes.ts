import { errorIn, html, told, type Html } from '../../http-api';
import { ERROR_KINDS, type ErrorCode } from '../../errors';
import type { Provider, SyncResource } from '../../integrations';
import type { Language } from '../../languages';
import { timeTag, untilTag } from '../time-tag';
import type { AccountState } from './integration-cards';

/** To a person these are one thing: nothing is wrong here, and it is tried again. */
const NOT_ANSWERING: ReadonlySet<ErrorCode> = new Set(['provider_unavailable', 'provider_timeout', 'circuit_open']);

export interface NoteContext {
  readonly nowMs: number;
  readonly language: Language;
  readonly provider: Provider;
}

/** When it was synced last, and how far the sync under way has come. */
export function syncNote({ connection, run }: Pick<AccountState, 'connection' | 'run'>, { provider, nowMs, language }: NoteContext): Html {
  const last = connection.lastSync
    ? told(language, 'sync.last', { time: timeTag(connection.lastSync, nowMs, language) })
    : language.say('sync.never');
  if (!connection.syncInProgress || !run) return html`<p class="soft">${last}</p>`;
  if (run.error && run.nextTryAt)
    return html`<p class="bad">
        ${stumble(provider, run.error, language)} ${told(language, 'sync.nextTry', { time: untilTag(run.nextTryAt, nowMs, language) })}
      </p>
      <p class="soft">${last}</p>`;
  const { fetched, total } = readOf(run);
  const bar =
    total === null
      ? html`<progress aria-label="${language.say('sync.bar')}"></progress>`
      : html`<progress aria-label="${language.say('sync.bar')}" value="${fetched}" max="${Math.max(total, fetched, 1)}"></progress>`;
  return html`<p>${progressOf(run, connection.lastSync === null, { provider, language })}</p>
    ${bar}
    <p class="soft">${last}</p>`;
}

type Run = NonNullable<AccountState['run']>;

/** Of the resource that is read, where it is known; else of all. */
function readOf({ at, total, counts }: Run): { fetched: number; total: number | null } {
  return { fetched: counts.fetched - (at?.before ?? 0), total };
}

function progressOf(run: Run, isFirst: boolean, { provider, language }: Pick<NoteContext, 'provider' | 'language'>): string {
  if (run.status === 'queued') return language.say(isFirst ? 'sync.firstQueued' : 'sync.queued');
  const { fetched, total } = readOf(run);
  const numbers = { fetched, total: Math.max(total ?? 0, fetched) };
  const label = (resource: SyncResource) => language.text(resource.label, provider.translations);
  const resources = (provider.sync?.resources ?? []).filter(({ name }) => run.resources.length === 0 || run.resources.includes(name));
  const place = resources.findIndex(({ name }) => name === run.at?.resource);
  const [resource, next] = place < 0 ? [] : resources.slice(place, place + 2);
  if (!resource) {
    if (total === null) return language.say(isFirst ? 'sync.firstRunning' : 'sync.running', numbers);
    return language.say(isFirst ? 'sync.firstRunningOf' : 'sync.runningOf', numbers);
  }
  const part = label(resource);
  const progress =
    total === null
      ? language.say(isFirst ? 'sync.firstPartRunning' : 'sync.partRunning', { ...numbers, part })
      : language.say(isFirst ? 'sync.firstPartRunningOf' : 'sync.partRunningOf', { ...numbers, part });
  return next ? language.say('sync.then', { progress, part: label(next) }) : progress;
}

/** Why the last try of a run that goes on by itself came to nothing. */
function stumble({ name }: Provider, error: { readonly code: ErrorCode; readonly message: string }, language: Language): string {
  if (NOT_ANSWERING.has(error.code)) return language.say('sync.notAnswering', { provider: name });
  return error.code === 'provider_rate_limited' ? language.say('sync.limited', { provider: name }) : wordsOf(error, language).detail;
}

/** The connection's own trouble first; a sync that failed is told of until one succeeds or runs. */
export function faultOf({ connection, run }: Pick<AccountState, 'connection' | 'run'>, language: Language): Html | undefined {
  const kindOf = (code: ErrorCode) => faultNote(errorIn(language, { code, ...ERROR_KINDS[code] }));
  if (connection.error) return kindOf(connection.error.code);
  if (connection.status !== 'connected') return kindOf('needs_reauth');
  if (run?.status === 'paused')
    return faultNote({
      detail: language.say('sync.waits'),
      nextStep: `${language.text(ERROR_KINDS.confirmation_required.detail)} ${language.say('sync.adminConfirms')}`,
    });
  if ((run?.status !== 'failed' && run?.status !== 'succeeded') || !run.error) return undefined;
  const outcome = language.say(run.status === 'failed' ? 'sync.failed' : 'sync.inPart');
  const { detail, nextStep } = wordsOf(run.error, language);
  return faultNote({ detail: `${outcome} ${detail}`, nextStep });
}

/** Of each resource: what cannot be read, where the last run does not tell it, when it is tried again, what its list leaves out, and what is otherwise than expected. */
export function partNotes({ connection: { parts }, run }: Pick<AccountState, 'connection' | 'run'>, context: NoteContext): Html[] {
  const { language, nowMs, provider } = context;
  return [...new Set(parts.map(({ label }) => label))].flatMap((label) => {
    const part = language.text(label, provider.translations);
    const own = parts.filter((each) => each.label === label);
    const failing = own.find(({ error }) => error !== null);
    const saidOfRun = run?.error ? wordsOf(run.error, language).detail : '';
    const extents = [...new Set(own.flatMap(({ extent }) => extent ?? []))];
    const otherwise = own.reduce((sum, { shapeErrors }) => sum + shapeErrors, 0);
    const named = (sentence: string) => language.say('sync.part', { part, sentence });
    return [
      ...(failing?.error && !saidOfRun.includes(label) ? [faultNote(namedFault(failing.error, named, language))] : []),
      ...(failing?.nextTryAt ? [nextTryNote(part, failing.nextTryAt, { nowMs, language })] : []),
      ...extents.map((extent) => html`<p class="soft">${named(language.text(extent, provider.translations))}</p>`),
      ...(otherwise > 0 ? [html`<p class="soft">${named(language.say('sync.partShape', { count: otherwise }))}</p>`] : []),
    ];
  });
}

function namedFault(error: ErrorInPart, named: (sentence: string) => string, language: Language): { detail: string; nextStep: string } {
  const { detail, nextStep } = wordsOf(error, language);
  return { detail: named(detail), nextStep };
}

type ErrorInPart = { readonly code: ErrorCode; readonly message: string };

function wordsOf({ code, message }: ErrorInPart, language: Language): { detail: string; nextStep: string } {
  return errorIn(language, { code, detail: message, nextStep: ERROR_KINDS[code].nextStep });
}

function nextTryNote(part: string, at: string, { nowMs, language }: Pick<NoteContext, 'nowMs' | 'language'>): Html {
  return html`<p class="soft">${told(language, 'sync.partAgain', { part, time: timeTag(at, nowMs, language) })}</p>`;
}

/** An error on a card: what is wrong, and what to do. */
function faultNote({ detail, nextStep }: { readonly detail: string; readonly nextStep: string }): Html {
  return html`<p class="bad">${detail} ${nextStep}</p>`;
}
