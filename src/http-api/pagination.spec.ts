import { z } from 'zod';
import { decodeCursor, encodeCursor } from './pagination';

const position = z.strictObject({ at: z.iso.datetime(), id: z.uuid() });

describe('cursors', () => {
  it('come back as they were made', () => {
    const made = { at: '2026-11-24T10:00:00Z', id: '0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6' };
    expect(decodeCursor(encodeCursor(made), position)).toEqual(made);
  });

  it.each([
    '',
    'x',
    '%00',
    "' OR 1=1 --",
    encodeCursor({ at: 'now()', id: '1' }),
    encodeCursor(null),
    encodeCursor({ at: '2026-11-24T10:00:00Z', id: '0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6', sort: 'id' }),
  ])('refuse %j', (text) => {
    expect(() => decodeCursor(text, position)).toThrow(expect.objectContaining({ code: 'invalid_cursor', status: 400 }));
  });
});
