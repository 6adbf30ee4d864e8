// B1, rival B: durable and deduplicated, a statement and so a commit for each delivery.
const { Pool } = require('pg');
const { serve } = require('./nest-express.cjs');

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const INSERT = 'INSERT INTO rival_events (event_id, type, account, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING';

serve((event) => pool.query({ name: 'insert', text: INSERT, values: [event.id, event.type, event.account, JSON.stringify(event)] }));
