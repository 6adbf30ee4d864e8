import { ForgedDeliveries } from './forged-deliveries';

describe('forged deliveries', () => {
  let now = 0;
  const made = () => new ForgedDeliveries(() => now);
  const forge = (forged: ForgedDeliveries, network: string, times: number) => {
    for (let i = 0; i < times; i++) forged.count(network, false);
  };

  it('are looked at up to a bound, and then a few each second', () => {
    const forged = made();
    forge(forged, '192.0.2.1', 299);
    expect(forged.waitFor('192.0.2.1')).toBe(0);
    forge(forged, '192.0.2.1', 1);
    expect(forged.waitFor('192.0.2.1')).toBe(100);
    expect(forged.waitFor('192.0.2.2')).toBe(0);
    now += 100;
    expect(forged.waitFor('192.0.2.1')).toBe(0);
    forge(forged, '192.0.2.1', 1);
    expect(forged.waitFor('192.0.2.1')).toBeGreaterThan(0);
  });

  it('do not shut out an address from which a good one came lately', () => {
    const forged = made();
    forged.count('192.0.2.1', true);
    forge(forged, '192.0.2.1', 1_000);
    expect(forged.waitFor('192.0.2.1')).toBe(0);
    now += 10 * 60_000;
    forge(forged, '192.0.2.1', 400);
    expect(forged.waitFor('192.0.2.1')).toBeGreaterThan(0);
    forged.count('192.0.2.1', true);
    expect(forged.waitFor('192.0.2.1')).toBe(0);
  });
});
