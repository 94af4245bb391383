import { runCommand } from '../process/run-command.js';

/** PostgreSQL refuses to run as root, so root lends it another user's ids; anybody else runs it as himself. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

const CANDIDATES = ['postgres', 'nobody'] as const;

const numericId = async (flag: '-u' | '-g', name: string): Promise<number | undefined> => {
  const { code, output } = await runCommand('id', [flag, name]);
  return code === 0 && /^\d+$/.test(output) ? Number(output) : undefined;
};

export const isRoot = (): boolean => process.getuid?.() === 0;

/** The user that root lends to PostgreSQL. */
export const serverUser = async (): Promise<OsUser> => {
  for (const name of CANDIDATES) {
    const [uid, gid] = await Promise.all([numericId('-u', name), numericId('-g', name)]);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { uid, gid };
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to run it as. ' +
      'Run as an ordinary user, or set DATABASE_URL to a running server.',
  );
};

/** Whether that user (undefined: we ourselves) can enter and write a directory, ancestors included. */
export const canWrite = async (user: OsUser | undefined, directory: string): Promise<boolean> => {
  const test = ['-c', 'test -w "$1" && test -x "$1"', 'sh', directory];
  const { code } = await runCommand('/bin/sh', test, { cwd: '/', ...user });
  return code === 0;
};
