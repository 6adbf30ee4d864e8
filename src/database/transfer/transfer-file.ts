import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { TransferFileError } from './transfer-file-error';
import type { TableSum } from './transferred-tables';

/**
 * A file of lines, compressed. A line that begins with `#` says what the lines after it are, as JSON; each other line is a row, as
 * Postgres writes it as JSON, and is never read here.
 */
export type FileMark =
  | { readonly trestle: 1; readonly migrations: readonly string[] }
  | { readonly table: string }
  | ({ readonly end: string } & TableSum)
  | { readonly complete: true };

export type FileLine = { readonly mark: FileMark } | { readonly row: string };

/** Its owner's alone: it holds personal data. What is half written never has the file's name. */
export async function writeTransferFile(path: string, lines: AsyncIterable<FileLine>): Promise<void> {
  const draft = `${path}.partial`;
  const text = async function* () {
    for await (const line of lines) yield 'mark' in line ? `#${JSON.stringify(line.mark)}\n` : `${line.row}\n`;
  };
  try {
    await pipeline(Readable.from(text()), createGzip(), createWriteStream(draft, { mode: 0o600 }));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** @throws TransferFileError where the file is cut off, or none of these */
export async function* readTransferFile(path: string): AsyncGenerator<FileLine> {
  const gunzip = createGunzip();
  const opened = pipeline(createReadStream(path), gunzip);
  opened.catch(() => undefined); // read below
  let begins = true;
  let complete = false;
  try {
    for await (const line of linesOf(gunzip)) {
      if (begins && !line.startsWith('#{"trestle":1,')) throw new TransferFileError(`${path} is damaged, or no export.`);
      begins = false;
      if (complete) throw new TransferFileError(`${path} goes on after its end.`);
      if (!line.startsWith('#')) {
        yield { row: line };
        continue;
      }
      const mark = JSON.parse(line.slice(1)) as FileMark;
      complete = 'complete' in mark;
      yield { mark };
    }
    await opened;
  } catch (error) {
    if (error instanceof TransferFileError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') throw new TransferFileError(`${path} cannot be read (${code}).`);
    throw error instanceof SyntaxError || code?.startsWith('Z_') ? new TransferFileError(`${path} is damaged, or no export.`) : error;
  }
  if (!complete) throw new TransferFileError(`${path} is cut off: its end is missing.`);
}

/** Ended by a line feed alone: within a row stand other ends of lines, as they are. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') throw new TransferFileError('The file is cut off within a line.');
}
