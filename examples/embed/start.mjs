import { createServer } from 'node:http';
import product from './server.cjs';

const { TRESTLE_URL = 'http://localhost:3000', API_JWT_SECRET = '', PORT = '4100' } = process.env;
const handle = product.createProduct({ trestleUrl: TRESTLE_URL, secret: API_JWT_SECRET });
const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(error.message);
    response.writeHead(502).end();
  });
});
server.listen(Number(PORT), 'localhost', () => console.log(`The product is at http://localhost:${server.address().port}`));
