import { readGoogleFault } from './google.faults';

describe('whose fault a refusal is', () => {
  const told = (status: number, error: unknown) => readGoogleFault({ status, headers: new Headers(), json: { error } });

  it("takes an address that is not verified for the operator's fault, and renews no token for it", () => {
    const fault = told(401, { code: 401, errors: [{ reason: 'push.webhookUrlUnauthorized' }] });
    expect(fault).toMatchObject({ code: 'provider_misconfigured', providerCode: 'push.webhookUrlUnauthorized' });
    expect(fault).not.toHaveProperty('tokenExpired');
    expect(told(401, { code: 401, errors: [{ reason: 'authError' }] })).toMatchObject({ tokenExpired: true });
  });

  it("tells a client that was removed from the user's grant, and an administrator's rule from both", () => {
    expect(told(401, 'deleted_client')).toMatchObject({ code: 'provider_misconfigured' });
    expect(told(400, 'admin_policy_enforced')).toMatchObject({ code: 'organization_forbids' });
  });
});
