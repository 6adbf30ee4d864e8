// A thread of its own: an expression is a person's program, and neither its time nor its memory may be the service's.
// Says { ready } first. In: { expression, inputs } with JSON texts. Out, one message for each input in order: { index, output } or { index, error }; then { done }.
const { parentPort, workerData } = require('node:worker_threads');
const jsonata = require('jsonata');

const MOST_COMPILED = 100;
const compiled = new Map();

function compile(expression) {
  const known = compiled.get(expression);
  if (known) return known;
  if (compiled.size >= MOST_COMPILED) compiled.clear();
  const made = jsonata(expression);
  compiled.set(expression, made);
  return made;
}

function textOf(result) {
  const text = JSON.stringify(result ?? null);
  if (text === undefined) throw new Error('The result is no JSON.');
  if (text.length > workerData.mostChars) throw new Error(`The result is longer than ${workerData.mostChars} characters.`);
  return text;
}

parentPort.on('message', async ({ expression, inputs }) => {
  for (let index = 0; index < inputs.length; index++) {
    try {
      parentPort.postMessage({ index, output: textOf(await compile(expression).evaluate(JSON.parse(inputs[index]))) });
    } catch (error) {
      const { message, position } = error ?? {};
      parentPort.postMessage({ index, error: `${message ?? 'It failed.'}${position === undefined ? '' : ` (at character ${position})`}` });
    }
  }
  parentPort.postMessage({ done: true });
});

parentPort.postMessage({ ready: true });
