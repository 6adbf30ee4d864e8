import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './clean-up';

const MB = 1024 * 1024;

/** A file system in memory of a fixed size. While it is there, temporary folders lie on it. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** Undefined where this process may not mount one. */
  static mount(megabytes: number): SmallDisk | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'trestle-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=1777`, 'tmpfs', folder]).status === 0;
    if (!mounted) {
      rmSync(folder, { recursive: true });
      return undefined;
    }
    const before = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    atEnd(() => {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      spawnSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    });
    return new SmallDisk(folder);
  }

  get freeMb(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return (bavail * bsize) / MB;
  }

  /** Until nothing more can be written, also what was freed meanwhile when it is called again. */
  fill(): void {
    const file = openSync(this.ballast, 'a');
    try {
      for (const size of [MB, 4096]) {
        const part = Buffer.alloc(size, 1);
        try {
          for (;;) if (writeSync(file, part) < size) break;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    unlinkSync(this.ballast);
  }

  private get ballast(): string {
    return join(this.folder, 'ballast');
  }
}
