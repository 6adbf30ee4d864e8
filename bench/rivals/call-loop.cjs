// How every arm of B5 to B7 is driven: GET /run?calls=N&concurrency=C does N pieces of work, C at a time, and tells how long it took.
const { createServer } = require('node:http');

/** `once`: one piece of work; it throws if it was not done right. */
module.exports.serveLoop = (once) => {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://localhost');
    module.exports
      .loop(once, Number(searchParams.get('calls')), Number(searchParams.get('concurrency')))
      .then(
        (result) => ({ status: 200, result }),
        (error) => ({ status: 500, result: { error: String(error?.stack ?? error) } }),
      )
      .then(({ status, result }) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(result)));
  });
  server.listen(0, '127.0.0.1', function () {
    process.send?.({ listening: this.address().port });
  });
};

module.exports.loop = async (once, calls, concurrency) => {
  const latencies = new Float64Array(calls);
  let next = 0;
  const caller = async () => {
    for (let call = next++; call < calls; call = next++) {
      const startedAt = performance.now();
      await once(call);
      latencies[call] = performance.now() - startedAt;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, caller));
  const ms = performance.now() - startedAt;
  latencies.sort();
  return { ms, perSecond: (calls * 1000) / ms, p50Ms: latencies[calls >> 1], p99Ms: latencies[Math.floor(calls * 0.99)] };
};
