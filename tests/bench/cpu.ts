import { readFile, readdir } from 'node:fs/promises';

const fieldsOf = async (pid: number): Promise<string[]> => {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

const secondsOf = async (pid: number): Promise<number> => {
  const fields = await fieldsOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
};

const childrenOf = async (pid: number): Promise<number[]> => {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const children: number[] = [];
  for (const each of pids) {
    if (Number((await fieldsOf(Number(each)))[1]) === pid) children.push(Number(each));
  }
  return children;
};

/** User and system seconds so far, of each process with its children and of this one; zeros where there is no /proc. */
export const cpuSecondsOf = async (
  pids: Readonly<Record<string, number>>,
): Promise<Record<string, number>> => {
  const own = process.cpuUsage();
  const seconds: Record<string, number> = { client: (own.user + own.system) / 1e6 };
  for (const [name, pid] of Object.entries(pids)) {
    let sum = await secondsOf(pid);
    for (const child of await childrenOf(pid)) sum += await secondsOf(child);
    seconds[name] = sum;
  }
  return seconds;
};

/** `credit 61 %, postgres 30 %, …` of a core between two readings. */
export const cpuShares = (
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  spentMs: number,
): string =>
  Object.entries(after)
    .map(
      ([name, seconds]) => [name, ((seconds - (before[name] ?? 0)) * 100_000) / spentMs] as const,
    )
    .filter(([, percent]) => percent >= 0.5)
    .map(([name, percent]) => `${name} ${percent.toFixed(0)} %`)
    .join(', ');
