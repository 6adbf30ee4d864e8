// A provider's list over HTTP, in a process of its own: GET /items?after=<number>&limit=<number>. Items are serialized once, so that a page
// costs this process little.
const { createServer } = require('node:http');

const COUNT = Number(process.env.ITEMS);

const items = Array.from({ length: COUNT }, (_, index) => {
  const number = index + 1;
  return JSON.stringify({
    id: `cus_${String(number).padStart(10, '0')}`,
    object: 'customer',
    name: `Customer number ${number}`,
    email: `customer-${number}@example.test`,
    balance: (number * 37) % 10_000,
    currency: 'eur',
    created: 1_700_000_000 + number,
    delinquent: number % 17 === 0,
    description: 'Came over from the old shop, pays by invoice, prefers letters to calls.',
    address: { line1: `${number % 200} Main Street`, city: 'Springfield', postal_code: String(10_000 + (number % 80_000)), country: 'DE' },
    metadata: { plan: number % 3 === 0 ? 'team' : 'single', source: 'import', ref: `ref-${number * 7919}` },
    livemode: false,
  });
});

createServer((request, response) => {
  const query = new URL(request.url, 'http://localhost').searchParams;
  const after = Number(query.get('after') ?? 0);
  const page = items.slice(after, after + Number(query.get('limit')));
  const next = after + page.length;
  const body = `{"items":[${page.join(',')}],"total":${COUNT},"next":${next < COUNT ? next : null}}`;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}).listen(0, '127.0.0.1', function () {
  process.send?.({ listening: this.address().port });
});
