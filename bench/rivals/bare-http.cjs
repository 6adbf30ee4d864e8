// What all the others are compared with: node:http, the HMAC, and `store` for the verified body, if there is one to be stored.
const { createHmac, timingSafeEqual } = require('node:crypto');
const { createServer } = require('node:http');

const ANSWER = '{"received":true}';

function isGenuine(header, body) {
  const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header ?? '') ?? [];
  if (!signature) return false;
  return timingSafeEqual(
    Buffer.from(signature, 'hex'),
    createHmac('sha256', process.env.SECRET).update(`${seconds}.`).update(body).digest(),
  );
}

function read(request, done) {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => done(parts.length === 1 ? parts[0] : Buffer.concat(parts)));
}

/** `commands`: what GET /<name>?<query> does. */
module.exports.serve = (store, commands = {}) => {
  const answer = (response, status, text) => {
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  };
  const fail = (response) => (error) => {
    console.error(error);
    answer(response, 500, '{}');
  };
  createServer((request, response) => {
    if (request.method === 'GET') {
      const url = new URL(request.url, 'http://localhost');
      const command = commands[url.pathname.slice(1)];
      if (!command) return answer(response, 404, '{}');
      return void Promise.resolve(command(url.searchParams)).then(
        (result) => answer(response, 200, JSON.stringify(result ?? {})),
        fail(response),
      );
    }
    read(request, (body) => {
      if (!isGenuine(request.headers['stripe-signature'], body)) return answer(response, 400, '{}');
      const stored = store(body);
      if (stored === undefined) answer(response, 200, ANSWER);
      else stored.then(() => answer(response, 200, ANSWER), fail(response));
    });
  }).listen(0, '127.0.0.1', function () {
    process.send?.({ listening: this.address().port });
  });
};
