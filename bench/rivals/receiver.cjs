// B12: the product's end. Takes deliveries, and keeps a ledger of their ids and of when each came first.
// GET /book gives { count, twice, unsigned }; GET /at/<id> waits for one; GET /forget begins anew; GET /mode?answer=503 answers so.
const { createServer } = require('node:http');

let first = new Map();
let [twice, unsigned, answer] = [0, 0, 204];
const waiting = new Map();

const take = (request, body) => {
  if (answer !== 204) return;
  const id = request.headers['webhook-id'];
  if (!request.headers['webhook-signature']) unsigned++;
  const key = /"(?:key|eventId)" ?: ?"([^"]+)"/.exec(body)?.[1] ?? id;
  if (first.has(key)) return void twice++;
  const at = performance.timeOrigin + performance.now();
  first.set(key, at);
  waiting.get(key)?.(at);
};

const control = async ({ pathname, searchParams }) => {
  if (pathname === '/forget') [first, twice, unsigned] = [new Map(), 0, 0];
  if (pathname === '/mode') answer = Number(searchParams.get('answer'));
  if (!pathname.startsWith('/at/')) return { count: first.size, twice, unsigned };
  const key = pathname.slice('/at/'.length);
  return { at: first.get(key) ?? (await new Promise((resolve) => waiting.set(key, resolve))) };
};

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    control(new URL(request.url, 'http://localhost')).then((told) => response.end(JSON.stringify(told)));
    return;
  }
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    take(request, Buffer.concat(parts).toString('latin1'));
    response.writeHead(answer).end();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', function () {
  process.send?.({ listening: this.address().port });
});
