import { ERROR_KINDS } from '../../errors';

/** The catalogue as Markdown, kept in `docs/errors.md`. */
export function errorCatalogueMarkdown(): string {
  const sections = Object.entries(ERROR_KINDS).map(([code, kind]) =>
    [
      `## ${code}`,
      `**${kind.title}** · ${kind.status} · ${kind.retryable ? 'may be tried again' : 'trying again does not help'}`,
      `${kind.detail} ${kind.nextStep}`,
    ].join('\n\n'),
  );
  return [
    '# Errors',
    'Every failure is answered as `application/problem+json` with one of these codes. Generated from `src/error-kinds.ts` by `node dist/cli/error-catalogue.js`; a running service shows the same at `/errors`.',
    ...sections,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}
