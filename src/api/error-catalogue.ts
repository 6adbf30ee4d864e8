import { ERROR_KINDS } from '../errors';

/** The catalogue as Markdown, kept in `docs/errors.md`. */
export function errorCatalogueMarkdown(): string {
  const rows = Object.entries(ERROR_KINDS).map(([code, kind]) => `| <a id="${code}"></a>\`${code}\` | ${kind.status} | ${kind.retryable ? 'yes' : 'no'} | ${kind.detail} | ${kind.nextStep} |`);
  return [
    '# Errors',
    '',
    'Every failure is answered as `application/problem+json` with one of these codes. Generated from `src/errors.ts` by `node dist/cli/error-catalogue.js`; a running service shows the same at `/errors`.',
    '',
    '| Code | Status | Worth repeating | What it says | What to do |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
