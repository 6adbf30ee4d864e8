// Does what docs/quick-start.md says, with the commands that stand there, and says how long it took: node test/examples/quick-start.mjs
// Needs Node alone; from a fresh clone it times the installation and the build as well.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const WITHIN_MS = 300_000;
/** Of the guide: that of Trestle and that of the product, of which neither is free here for sure. */
const PRODUCT_ORIGIN = 'http://localhost:4000';

const [trestleCommands, productCommands] = [
  ...readFileSync(join(ROOT, 'docs/quick-start.md'), 'utf8').matchAll(/^```sh\n(.*?)^```/gms),
].map(([, commands]) => commands);
const folder = mkdtempSync(join(tmpdir(), 'trestle-quick-start-'));
const terminals = [];
const door = await openDoor();
const origin = `http://127.0.0.1:${door.server.address().port}`;

/** A shell with the guide's commands, on ports that are free, and what it says. */
function terminal(commands, env) {
  const text = commands.replaceAll(PRODUCT_ORIGIN, origin);
  const { PATH, HOME } = process.env;
  const child = spawn('sh', ['-ec', text], {
    cwd: ROOT,
    env: { PATH, HOME, PORT: '0', ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = [];
  const ended = new Promise((resolve) => child.once('close', resolve));
  let over = false;
  void ended.then(() => (over = true));
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => lines.push(...chunk.split('\n')));
  const found = (pattern) => lines.map((line) => pattern.exec(line)).find(Boolean);
  const said = (pattern) =>
    eventually(() => {
      if (over && !found(pattern)) throw new Error(`ended without saying ${pattern}`);
      return found(pattern);
    });
  const end = async () => {
    if (!over) process.kill(-child.pid, 'SIGTERM');
    await ended;
  };
  const made = { lines, said, end };
  terminals.push(made);
  return made;
}

/** The product's address, known before the product listens: what comes is handed on. */
async function openDoor() {
  let port;
  const server = createServer((socket) => {
    const onward = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ])
      from.on('error', () => to.destroy()).pipe(to);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, leadTo: (to) => (port = to) };
}

/** Follows redirects with its cookies, and presses buttons. */
class Browser {
  cookies = new Map();

  get(url) {
    return this.send(url, {});
  }

  /** The form of a page, with the fields it has. */
  press({ url, text }, fields = {}) {
    const [, action] = /<form method="post" action="([^"]+)"/.exec(text) ?? [];
    const hidden = [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name,
      unescaped(value),
    ]);
    return this.send(new URL(action, url).href, { method: 'POST', body: new URLSearchParams([...hidden, ...Object.entries(fields)]) });
  }

  async send(url, init) {
    const { origin: host } = new URL(url);
    const jar = this.cookies.get(host) ?? new Map();
    this.cookies.set(host, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { ...init, redirect: 'manual', headers: { accept: 'text/html', ...(cookie && { cookie }) } });
    for (const line of answer.headers.getSetCookie()) jar.set(...line.split(';')[0].split(/=(.*)/s).slice(0, 2));
    const location = answer.headers.get('location');
    const text = await answer.text();
    if (location) return this.get(new URL(location, url).href);
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 300)}`);
    return { url, text };
  }
}

function unescaped(text) {
  return text
    .replace(/&amp;/g, '&')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'");
}

/** What the product heard stands newest first. */
function reversed(text) {
  return text.split('\n').reverse().join('\n');
}

function expect(what, text, pattern) {
  if (!pattern.test(text)) throw new Error(`${what}: not so; seen: ${text.slice(0, 500)}`);
}

async function eventually(look) {
  const until = Date.now() + WITHIN_MS;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > until) throw new Error('It did not come to pass in time.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

try {
  const began = performance.now();
  const seconds = () => Number(((performance.now() - began) / 1000).toFixed(1));
  const trestle = terminal(trestleCommands, { DATA_DIR: folder });
  const { url } = (await trestle.said(/reached under (?<url>http:[^"\s]+)/)).groups;
  const up = seconds();
  const product = terminal(productCommands, { TRESTLE_URL: url, PRODUCT_URL: origin });
  door.leadTo(Number((await product.said(/product listens on (?<port>\d+)/)).groups.port));
  await product.said(/product: http/);

  const browser = new Browser();
  expect('the product offers to connect', (await browser.get(`${origin}/`)).text, /href="\/connect"/);
  const connectPage = await browser.get(`${origin}/connect`);
  const consentPage = await browser.press(connectPage);
  const back = await browser.press(consentPage, { decision: 'allow' });
  expect('the browser is back at the product', back.url, new RegExp(`^${origin}/?\\?success=slack`));
  await eventually(async () => /verified webhook: connection\.connected/.test((await browser.get(`${origin}/`)).text));
  const connected = seconds();

  expect('a message is posted', (await browser.send(`${origin}/message`, { method: 'POST' })).text, /Slack is connected to/);
  expect('a sync is asked for', (await browser.send(`${origin}/sync`, { method: 'POST' })).text, /Slack is connected to/);
  await eventually(async () =>
    /verified webhook: record\.changed(.|\n)*channels: has general/s.test(reversed((await browser.get(`${origin}/`)).text)),
  );
  expect('the page of connections knows Ada', (await browser.get(`${origin}/settings`)).text, /Slack/);
  const forged = await fetch(`${origin}/webhooks/trestle`, { method: 'POST', body: '{"type":"record.changed","data":{}}' });
  expect('a forged webhook is refused', String(forged.status), /^401$/);
  const report = { up, connected, all: seconds() };
  process.stderr.write(
    `Quick start: Trestle up after ${up} s; connected, and told of it by a verified webhook, after ${connected} s; all of it ${report.all} s\n`,
  );
  process.stdout.write(`${JSON.stringify(report)}\n`);
} catch (error) {
  process.stderr.write(`${error.stack}\n${terminals.map(({ lines }) => lines.slice(-20).join('\n')).join('\n---\n')}\n`);
  process.exitCode = 1;
} finally {
  await Promise.all(terminals.map((each) => each.end()));
  door.server.close();
  rmSync(folder, { recursive: true, force: true });
}
