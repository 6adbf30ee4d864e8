import type { FastifyReply } from 'fastify';

/**
 * Lets pages of these origins show this page in a frame, and nobody else's: for a page on which nothing happens by one click that its person
 * could not undo. Where there are none, it stays as all pages are. Of an old browser, that knows `X-Frame-Options` alone, it is not shown.
 */
export function letBeFramedBy(origins: readonly string[], reply: FastifyReply): void {
  const policy = reply.getHeader('content-security-policy');
  if (origins.length === 0 || typeof policy !== 'string') return;
  reply.header('content-security-policy', policy.replace(/frame-ancestors [^;]+/, ['frame-ancestors', ...origins].join(' ')));
  reply.removeHeader('x-frame-options');
}
