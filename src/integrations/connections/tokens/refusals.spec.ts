import { tokenFixture, type TokenFixture } from '../../connect/testing/token-fixture';
import type { ConnectionRef } from '../../contract';

const HOURS_13 = 13 * 3_600_000;

describe('a refusal of the token endpoint', () => {
  let fixture: TokenFixture;
  beforeAll(async () => {
    fixture = await tokenFixture();
  });
  afterAll(() => fixture.close());

  const refusedWith = async (status: number, error: string): Promise<ConnectionRef> => {
    const connection = await fixture.connect('mail');
    fixture.clock.advance(HOURS_13);
    fixture.clear();
    fixture.sandbox.control.clearFaults();
    fixture.sandbox.control.addFault({ kind: 'status', status, body: { error }, endpoint: 'oauth.token' });
    return connection;
  };
  const tokenOf = (connection: ConnectionRef) => fixture.processes[0]!.tokens.accessToken(connection);
  const statusOf = async ({ id }: ConnectionRef) => (await fixture.processes[0]!.connections.findById(id))?.status;

  it("is the user's where the grant has ended", async () => {
    const connection = await refusedWith(400, 'invalid_grant');
    await expect(tokenOf(connection)).rejects.toMatchObject({ code: 'needs_reauth' });
    expect(await statusOf(connection)).toBe('needs_reauth');
  });

  it("is the operator's where our client is refused: the connection stays, and works again by itself", async () => {
    const connection = await refusedWith(401, 'invalid_client');
    await expect(tokenOf(connection)).rejects.toMatchObject({
      code: 'provider_misconfigured',
      nextStep: expect.stringContaining('looked into') as string,
    });
    expect(await statusOf(connection)).toBe('connected');
    fixture.sandbox.control.clearFaults();
    fixture.clock.advance(60_000);
    expect((await tokenOf(connection)).version).toBe(2);
  });

  it('names the administrator where the organization forbids it', async () => {
    const connection = await refusedWith(400, 'admin_policy_enforced');
    await expect(tokenOf(connection)).rejects.toMatchObject({
      code: 'organization_forbids',
      nextStep: expect.stringContaining('administrator') as string,
    });
    expect(await statusOf(connection)).toBe('connected');
  });

  it('says nothing about signing in where the code is unknown, keeps the connection, and asks with growing pauses', async () => {
    const connection = await refusedWith(400, 'a_code_of_tomorrow');
    const asked = async () => {
      await expect(tokenOf(connection)).rejects.toMatchObject({
        code: 'refresh_refused',
        providerCode: 'a_code_of_tomorrow',
        message: expect.not.stringMatching(/sign|connect/i) as string,
        nextStep: expect.not.stringMatching(/sign|connect/i) as string,
      });
      return fixture.refreshes('mail');
    };
    expect(await asked()).toBe(1);
    for (let second = 0; second < 600; second += 10) {
      fixture.clock.advance(10_000);
      await asked();
    }
    // Ten minutes with a call every ten seconds: doubling from a second, it asks about nine times.
    expect(fixture.refreshes('mail')).toBeGreaterThan(4);
    expect(fixture.refreshes('mail')).toBeLessThan(12);
    expect(await statusOf(connection)).toBe('connected');
  });
});
