import { spawn, type SpawnOptions } from 'node:child_process';

export interface CommandResult {
  /** Undefined when the command could not be started or was ended by a signal. */
  readonly code: number | undefined;
  readonly output: string;
}

export interface CommandOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'> {
  readonly timeoutMs?: number;
}

/** Runs a program to its end; a program that is missing or fails is a result, never an exception. */
export const runCommand = (
  command: string,
  args: readonly string[],
  { timeoutMs = 60_000, ...options }: CommandOptions = {},
): Promise<CommandResult> =>
  new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    // spawn's own timeout keeps its timer when the program is missing, and us alive with it.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const finish = (code: number | undefined, output: string): void => {
      clearTimeout(timer);
      resolve({ code, output: output.trim() });
    };
    const chunks: Buffer[] = [];
    const keep = (chunk: Buffer): void => void chunks.push(chunk);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => {
      finish(undefined, error.message);
    });
    child.once('close', (code) => {
      finish(code ?? undefined, Buffer.concat(chunks).toString('utf8'));
    });
  });
