import { z } from 'zod';
import { byId, decodeCursor, encodeCursor, pageFrom, positionOf } from './pagination';

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

describe('a page', () => {
  const rows = ['0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6', '0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f7'].map((id) => ({ id }));
  const end = ({ id }: { id: string }) => ({ id });

  it('shows no more than was asked for, and says where it ended', () => {
    const { data, nextCursor } = pageFrom(rows, 1, end);
    expect(data).toEqual(rows.slice(0, 1));
    expect(positionOf(nextCursor ?? '', byId)).toEqual(rows[0]);
  });

  it.each([2, 3])('is the last one where nothing was read beyond its %s rows', (most) => {
    expect(pageFrom(rows, most, end)).toEqual({ data: rows, nextCursor: null });
  });

  it('of nothing is empty', () => {
    expect(pageFrom([], 1, end)).toEqual({ data: [], nextCursor: null });
    expect(positionOf(undefined, byId)).toBeUndefined();
  });
});
