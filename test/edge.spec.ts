import { startTestApp, type TestApp } from './support/test-app';

describe('the edge', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp();
  });
  afterAll(() => test.close());

  it('says that it lives', async () => {
    const answer = await fetch(`${test.url}/health/live`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
  });
});
