// The product: serves its page under a strict policy, and hands it tokens. `npm run build`, then `npm start`.
// Its one user is Ada of Acme; a real product asks its own session who it is.
const { createHmac } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { extname, join, normalize } = require('node:path');

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' };
const DIST = join(__dirname, 'dist');

/** What may run and be asked for: our own files, and Trestle. No style and no script stands in the page. */
const policyOf = (trestleUrl) =>
  [
    "default-src 'none'",
    `script-src 'self' ${trestleUrl}`,
    `connect-src 'self' ${trestleUrl}`,
    "style-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types lit-html',
  ].join('; ');

/** @param {{ trestleUrl: string, secret: string, user?: string, organization?: boolean }} options `organization`: its connections are shown too */
function createProduct({ trestleUrl, secret, user = 'ada', organization = false }) {
  /** Who asks, in which organization; signed with the secret that Trestle knows. */
  function backendToken() {
    const now = Math.floor(Date.now() / 1000);
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256' })}.${part({ sub: user, tenant: 'acme', iat: now, exp: now + 3600 })}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  }

  async function browserToken(origin) {
    const answer = await fetch(`${trestleUrl}/v1/browser-tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${backendToken()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ origin, organization }),
    });
    return { status: answer.status, body: await answer.text() };
  }

  return async function handle(request, response) {
    const { pathname, origin } = new URL(request.url, `http://${request.headers.host}`);
    const policy = { 'content-security-policy': policyOf(trestleUrl), 'cross-origin-opener-policy': 'same-origin-allow-popups' };
    if (request.method === 'POST' && pathname === '/trestle-token') {
      // A form of another site cannot send this header.
      const isOurs = request.headers['x-requested-with'] !== undefined;
      const { status, body } = isOurs ? await browserToken(origin) : { status: 403, body: '{}' };
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
      return;
    }
    const name = pathname === '/' ? 'index.html' : normalize(pathname).replace(/^[./\\]+/, '');
    try {
      const file = readFileSync(join(DIST, name));
      const script = `<script src="${trestleUrl}/embed/trestle.js" defer></script>`;
      const body = name === 'index.html' ? file.toString('utf8').replace('<!-- trestle -->', script) : file;
      response.writeHead(200, { ...policy, 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404, policy).end();
    }
  };
}

module.exports = { createProduct };
