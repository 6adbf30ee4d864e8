// COPY from memory, as fast as the server takes it.
const { from } = require('pg-copy-streams');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');

module.exports.copyIn = (client, statement, chunks) => pipeline(Readable.from(chunks), client.query(from(statement)));
