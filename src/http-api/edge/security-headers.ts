export interface SecurityHeaders {
  readonly https: boolean;
  /** `img-src`, besides what is within the page. */
  readonly images: string;
  /** Origins besides our own that a form may lead to: the providers' consent pages. Asked at the first request, when all are known. */
  readonly formTargets: () => readonly string[];
}

/**
 * What a browser is told with every answer, in the terms of https://owasp.org/www-project-secure-headers. The same for all answers,
 * so it is put together when it is first asked for: to do that for each request took an eighth of the time of a webhook's delivery.
 */
export function securityHeaders(options: SecurityHeaders): () => Readonly<Record<string, string>> {
  let headers: Readonly<Record<string, string>> | undefined;
  return () => (headers ??= writtenDown(options));
}

function writtenDown({ https, images, formTargets }: SecurityHeaders): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${images} data:`,
    "connect-src 'self'",
    // Browsers check the redirects after a form as well (https://www.w3.org/TR/CSP3/#directive-form-action).
    ["form-action 'self'", ...formTargets()].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return {
    'content-security-policy': policy.join(';'),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'referrer-policy': 'no-referrer',
    ...(https && { 'strict-transport-security': 'max-age=31536000' }),
    'x-content-type-options': 'nosniff',
    'x-dns-prefetch-control': 'off',
    'x-download-options': 'noopen',
    'x-frame-options': 'DENY',
    'x-permitted-cross-domain-policies': 'none',
    'x-xss-protection': '0',
  };
}
