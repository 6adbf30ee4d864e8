import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type TestProcess } from '../../../test/support/child-process';
import { DataFolderLock, DataFolderLockedError } from './data-folder-lock';
import { identityOf } from './process-identity';

const OWNER = join(__dirname, '../../../test/support/processes/lock-owner.ts');

describe('the lock of the data folder', () => {
  let folder: string;
  const processes: TestProcess[] = [];
  const startOwner = () => {
    const owner = startProcess(OWNER, [folder]);
    processes.push(owner);
    return owner;
  };
  const decision = (owner: TestProcess) => owner.line((line) => line === 'owner' || line.startsWith('refused'));
  const writeLock = async (record: object) => writeFile(join(folder, 'postgres.lock.1'), JSON.stringify(record));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trestle-lock-'));
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((owner) => owner.kill()));
    await rm(folder, { recursive: true });
  });

  it('refuses a second process, and names the pid, the folder and the way out', async () => {
    const owner = startOwner();
    await decision(owner);

    const refused = DataFolderLock.acquire(folder);
    await expect(refused).rejects.toBeInstanceOf(DataFolderLockedError);
    await expect(refused).rejects.toThrow(new RegExp(`${folder}.*pid ${owner.child.pid}\\b.*DATA_DIR.*DATABASE_URL`));
  });

  it('refuses a second owner in the same process', async () => {
    const lock = await DataFolderLock.acquire(folder);
    await expect(DataFolderLock.acquire(folder)).rejects.toThrow(`pid ${process.pid}`);
    await lock.release();
  });

  it('is free again after its release', async () => {
    await (await DataFolderLock.acquire(folder)).release();
    const again = await DataFolderLock.acquire(folder);
    await again.release();
    expect(await readdir(folder)).toEqual(['postgres.lock.2']);
  });

  it('is taken over from an owner that was killed', async () => {
    const owner = startOwner();
    expect(await decision(owner)).toBe('owner');
    await owner.kill();

    await (await DataFolderLock.acquire(folder)).release();
  });

  it("does not take a process that got the dead owner's pid for the owner", async () => {
    await writeLock({ ...(await identityOf(process.pid)), startedAt: 'another boot/1' });
    await (await DataFolderLock.acquire(folder)).release();
  });

  it('lets exactly one of eight processes take over a dead lock at once', async () => {
    await writeLock({ ...(await identityOf(process.pid)), startedAt: 'another boot/1' });
    const rivals = Array.from({ length: 8 }, startOwner);
    const decisions = await Promise.all(rivals.map(decision));
    expect(decisions.filter((line) => line === 'owner')).toHaveLength(1);
  });

  it('takes over from another machine after its silence only', async () => {
    await writeLock({ pid: process.pid, startedAt: 'there/1', place: 'another machine' });
    await (await DataFolderLock.acquire(folder, undefined, { heartbeatMs: 10, silentMs: 50 })).release();
  });

  it('refuses while an owner on another machine gives signs of life', async () => {
    await writeLock({ pid: 4711, startedAt: 'there/1', place: 'another machine' });
    let beats = 0;
    const alive = setInterval(() => void utimes(join(folder, 'postgres.lock.1'), ++beats, beats), 5);
    const refused = DataFolderLock.acquire(folder, undefined, { heartbeatMs: 50, silentMs: 5_000 });
    await expect(refused).rejects.toThrow('pid 4711 on another machine or in another container');
    clearInterval(alive);
  });

  it('tells an owner that lost its lock', async () => {
    let tell: () => void = () => undefined;
    const lost = new Promise<void>((resolve) => (tell = resolve));
    await DataFolderLock.acquire(folder, tell, { heartbeatMs: 10 });
    await writeFile(join(folder, 'postgres.lock.9'), '{}');
    await lost;
  });
});
