// A provider: a small JSON answer to everything. After GET /limit?per=N it refuses what is over N requests in any second. It keeps its own book.
const { createServer } = require('node:http');

const ANSWER = JSON.stringify({ ok: true, id: 'obj_1', name: 'a thing', tags: ['one', 'two'], text: 'x'.repeat(300) });
let limit = 0;
let arrivals = [];
let refused = 0;
let wrong = 0;

const server = createServer((request, response) => {
  if (request.url === '/book') {
    const book = { count: arrivals.length, refused, wrong, arrivals: limit > 0 ? arrivals : [] };
    arrivals = [];
    refused = 0;
    wrong = 0;
    return response.end(JSON.stringify(book));
  }
  if (request.url.startsWith('/limit')) {
    limit = Number(new URL(request.url, 'http://localhost').searchParams.get('per'));
    return response.end('{}');
  }
  const now = performance.timeOrigin + performance.now();
  if (request.headers.authorization !== 'Bearer bench-token') wrong++;
  arrivals.push(now);
  if (limit > 0 && arrivals.length > limit && now - arrivals[arrivals.length - 1 - limit] < 1000) {
    refused++;
    return response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '1' }).end('{"ok":false}');
  }
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length, 'x-request-id': 'req_1' }).end(ANSWER);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', function () {
  process.send?.({ listening: this.address().port });
});
