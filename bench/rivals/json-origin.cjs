// A provider: a small JSON answer to everything. With WINDOW_LIMIT it refuses what is over so many requests in any second. It keeps its own book.
const { createServer } = require('node:http');

const LIMIT = Number(process.env.WINDOW_LIMIT ?? 0);
const ANSWER = JSON.stringify({ ok: true, id: 'obj_1', name: 'a thing', tags: ['one', 'two'], text: 'x'.repeat(300) });
let arrivals = [];
let refused = 0;
let wrong = 0;

const server = createServer((request, response) => {
  if (request.url === '/book') {
    const book = { count: arrivals.length, refused, wrong, arrivals: LIMIT > 0 ? arrivals : [] };
    arrivals = [];
    refused = 0;
    wrong = 0;
    return response.end(JSON.stringify(book));
  }
  const now = performance.timeOrigin + performance.now();
  if (request.headers.authorization !== 'Bearer bench-token') wrong++;
  arrivals.push(now);
  if (LIMIT > 0 && arrivals.length > LIMIT && now - arrivals[arrivals.length - 1 - LIMIT] < 1000) {
    refused++;
    return response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '1' }).end('{"ok":false}');
  }
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length, 'x-request-id': 'req_1' }).end(ANSWER);
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'));
