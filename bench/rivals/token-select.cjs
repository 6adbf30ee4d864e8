// B7: the token's row by its primary key, as it stands.
const { Pool } = require('pg');
const { serveLoop } = require('./call-loop.cjs');

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const SELECT = { name: 'token', text: 'SELECT access_token, expires_at FROM tokens WHERE id = $1', values: [process.env.TOKEN_ID] };
serveLoop(async () => {
  const { rows } = await pool.query(SELECT);
  if (!rows[0].access_token) throw new Error('no token');
});
