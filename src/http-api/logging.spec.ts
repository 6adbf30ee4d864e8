import { errorForLog } from './logging';

describe('an error in the log', () => {
  it('tells what was thrown where it is no Error', () => {
    expect(errorForLog({ message: 'the disk is full' })).toEqual({ message: 'the disk is full' });
    expect(errorForLog({ errno: -28, body: 'somebody\u2019s' })).toEqual({ message: 'object thrown, with errno, body' });
    expect(errorForLog('went to https://x.example/?token=abc')).toEqual({
      message: 'string thrown: went to https://x.example/?token=[redacted]',
    });
  });

  it('names the whole chain of causes', () => {
    const error = new Error('not stored', { cause: new Error('no space left') });
    expect(errorForLog(error)).toMatchObject({ message: 'not stored', cause: { message: 'no space left' } });
  });
});
