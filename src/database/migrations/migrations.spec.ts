import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PRODUCT_MIGRATIONS } from '../../app-handlers/migrations';
import { MIGRATIONS } from '.';

/** What each migration was when it landed. A new one adds a line; a line is never changed. */
const LANDED: Readonly<Record<string, string>> = {
  'src/app-handlers/migrations/1764000000001-payment-notes.ts': '16635d30eb7d48e44a3b5d1a50767e65521f2c6fb098fcc8be13265933f08166',
  'src/database/migrations/1764000000000-baseline.ts': '8c80a2f428f2ff266e20ec85e6c8972142a875a89dc5fe69a8f870fe8c742148',
  'src/database/migrations/1764670000000-every-door.ts': 'edfa1a03756e6698b2c2a5db8831bde7936b43f33605b751a701e23e4e5a7d45',
  'src/app-handlers/migrations/1764670000001-payment-notes-changes.ts': '6dd604d811158165df766618e4751587f5eff72e0d01b93b3e2cfdf782fd0154',
  'src/database/migrations/1764709000000-outbox-payload-rows.ts': '374eaeabc1c8a54b70063ed2cb31f4314d25b9683cee66775c699b730b833f43',
  'src/database/migrations/1764810000000-sync-parts.ts': 'd1acbfaf0b7c28a328d312111be3a503e2910a1f72b506714313aa19db9dd28f',
  'src/database/migrations/1764820000000-provider-codes.ts': 'dd13a637ad253a9ee3e3acfde80adb22fe58828c799b0947a9cfdcfac8f92e33',
  'src/database/migrations/1764860000000-run-lease-owners.ts': '639e8338708d4109d850910ab0cf5bebe56aadfa7656af5b5d7628ead26276d5',
  'src/database/migrations/1764870001000-user-scopes.ts': 'd1d6ae8ee0c64b3549b4f22f286fae95952e19958a8e24ad304449ea363bb7f3',
  'src/database/migrations/1764870000000-connect-seals.ts': 'ff98e1457260d9a3af1e081106efb241a354ed7947ce8c38ebfbaaf6784493c7',
  'src/database/migrations/1764400000000-connect-fields.ts': 'c4f8f12401ef58279d2eb7891df07cf0d16e9e3dbb99984f787a749609b6a063',
  'src/database/migrations/1764450000000-audit.ts': 'f18d5cde81f17987e30f3a0a80eb24887bd565f7baaff767cbe133c8eaa1b70a',
  'src/database/migrations/1764460000000-sealed-sessions.ts': 'd968c4821e691690c9d6d9f949bbe33866fe5c2fd4364faa6d904431949a7040',
  'src/database/migrations/1764500000000-record-parts.ts': '2637f423b5c79029a3995878eae0324f9034cb2b183f6f3ce63000d6420864f9',
  'src/database/migrations/1764510000000-webhook-payloads.ts': 'e6dcd2a745b524ad2409c189afa407302fae80856a96ebed8c6de2fa758bf3a4',
  'src/database/migrations/1764520000000-grants.ts': 'ef418e942be36c2d9df44d4c388dcc7a902fb68e6e326e93dffa8e8f8574a98d',
  'src/database/migrations/1764530000000-waiting-runs.ts': '3310e72bc18f3190c58ddea4485145f649e613f0fd9beaecf10872d98342f746',
  'src/app-handlers/migrations/1764550000001-payment-notes-rows.ts': '20601bbbaab840cbc82b8678205e376f2409292ada5aacca3d500a82b202a603',
  'src/database/migrations/1764550000000-tenant-rows.ts': 'c0dc8689e49c763f67c763fdcd8d6d8b3947838ae66a8f4a768ac12273217bfd',
  'src/database/migrations/1764610000000-connect-display.ts': '5f3c251edf055d57893b7ca49478113e50b0dbbf8a547036733a476b6009e62c',
  'src/database/migrations/1764620000000-alerts-without-notices.ts': '754d852c807384c92de834cf08124cd7295c38f81e04688ab4bafbf16f8c027e',
  'src/database/migrations/1764650000000-part-failures.ts': '7180c39dab8ab90e14ccaf5c35d9183725d1624f5eb3f46882b40547b2aa2b2c',
  'src/database/migrations/1764660000000-audit-outcome.ts': 'fcda8048bfb37849ab7c562e19f150a8fc41b2f1f1c1e310aa3c6b6cd750f2fa',
  'src/database/migrations/1764660001000-connect-maker.ts': '87809f166d96ca9e763e888c0c51e656d4ba81bd040ac58adac4971b5ca21afb',
  'src/database/migrations/1764660002000-unsent-disconnects.ts': 'b919d052728aa9edc63705cac4580c5446e12a0d5aa530c5da39a8a918bfa3e1',
  'src/database/migrations/1764690000000-connection-owners.ts': 'c1b171acf6cc3df9717fb7841d58190a2844eb121a45ca4fb0d69d40fe31d6cc',
  'src/database/migrations/1764690001000-stripe-modes.ts': 'd91d647b3bf5d51ebf08990c2641c351602d60c4043ba0cbb555356b7e13cda0',
  'src/database/migrations/1764700000000-outbox-payloads.ts': 'ddbd6edfddfee00ec64b0cfb33702593a56e7f7993c11d4b236034d02eeb560e',
  'src/database/migrations/1764800000000-connection-seals.ts': '066436c81e4623dfe86e6c909641d7057fa2e721a46788aef60864bc5fb8450b',
  'src/database/migrations/1764910000000-record-mappings.ts': 'a10e1ece98bc779b35baa6575b70c9a642ed7117359d23566075d28c9dbba43e',
  'src/database/migrations/1764920000000-oauth-clients.ts': '6c0db67d909b154bffc473e11c31a8e72ef2bd3301c1c8154e60b918b9cf5e01',
  'src/database/migrations/1764950000000-admin-lists.ts': '459786cdcba7b017b1c49b73f5d5fc9627eafbcd3370f064c67463dd8b7a47ba',
  'src/database/migrations/1764925000000-destination-choices.ts': '48bc63836d8e610bc99f2953e260c8b243180a5b5f5acbdea6d6fafc9828afea',
  'src/database/migrations/1764970000000-traces.ts': '65ba05183e9be1fde6eeb66984c6080445c7f8882ba0512de1977c98edf3780d',
  'src/database/migrations/1764960000000-webhook-addresses.ts': 'c11ca4d1cb2323c793216c7c21841e25b044cec937a4b7df75d96d47cb7153a7',
  'src/database/migrations/1764973000000-event-failures.ts': '8b6280660d6c7ec04f9df4cd719c91fca553d55ba942f9412b4957f51e61579c',
  'src/database/migrations/1764975000000-time-partitions.ts': 'acf8be705370b3279707c65931f9c99cdbb63f32baff963c8e9f0c22e09fb080',
  'src/database/migrations/1764975100000-list-indexes.ts': 'd718c70d9011fb6a6fb391880bf1d4ba5b624132ec885fef4349c636467da682',
  'src/database/migrations/1764980200000-record-shapes.ts': '2cd427f4fdfec94da1cd8c4eaf783c4e895b44a09a4024e5808532219a8501ab',
  'src/database/migrations/1764980300000-figures.ts': '973a4174e4390e80978b5b655b8b52017288609cfd2cf2ce54dd7e7fe06e7536',
  'src/database/migrations/1764980310000-replay-runs.ts': 'd59ee60294240ef547385ba39615e3dfc5e46e736147298f7eed15f5b73292ea',
  'src/database/migrations/1764990200000-connection-counts.ts': 'f88ead9a162ea2c9c7a90bd07fb4566fca098e8f7a92f20d201c0999c217ba7f',
  'src/database/migrations/1764990210000-failing-events.ts': '4e60e3fe5ed6420e0d8e56b8c12e42c18d4b30620dcb777d0c35848452950c2c',
  'src/database/migrations/1764990500000-failed-kinds.ts': '5f700213de1abac6a84cf49e5d42e53c93a296342d9914da4b0fdc936bb3e973',
  'src/database/migrations/1764990510000-needed-keys.ts': '07788facb567585f1f68026b4e1850df242a7fd7d3dba554c911f28e1e83432c',
  'src/database/migrations/1764990600000-limited-requests.ts': '4b10c1243e811f551c6e20a1e96a30772aacbc45fe9a090b9b1f783ec8235207',
  'src/database/migrations/1764990700000-tenant-of-events.ts': 'd31b52f653fc57fc6f469f042c8effe01662df347bbfc5eef371f25b51df1ad6',
};

const ROOT = join(__dirname, '..', '..', '..');
const FILE = /^\d{13}-[a-z0-9-]+\.ts$/;

function hashes(): Record<string, string> {
  const files = ['src/app-handlers/migrations', 'src/database/migrations'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).flatMap((name) => (FILE.test(name) ? [`${folder}/${name}`] : [])),
  );
  const hashOf = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(ROOT, file)))
      .digest('hex');
  return Object.fromEntries(files.sort().map((file) => [file, hashOf(file)]));
}

it('leaves every migration that has landed as it was: a database may have run it', () => {
  expect(hashes()).toEqual(LANDED);
});

it('runs every migration that lies in a folder, in the order of time', () => {
  const times = Object.keys(LANDED).map((file) => Number(/\d{13}/.exec(file)?.[0]));
  const run = [...MIGRATIONS, ...PRODUCT_MIGRATIONS].map(({ name }) => Number(/\d{13}$/.exec(name)?.[0]));
  expect(run.sort()).toEqual(times.sort());
  expect(MIGRATIONS.map(({ name }) => name.slice(-13))).toEqual(MIGRATIONS.map(({ name }) => name.slice(-13)).sort());
});
