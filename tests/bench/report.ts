import type { LoopResult } from './loop-result.js';

export interface Row {
  readonly load: string;
  readonly design: string;
  readonly result: LoopResult;
}

const number = (value: number, digits: number): string =>
  Number.isFinite(value)
    ? value.toLocaleString('en-US', {
        maximumFractionDigits: digits,
        minimumFractionDigits: digits,
      })
    : '–';

/** One table, a line for each design and load. */
export const printTable = (unit: string, rows: readonly Row[]): void => {
  console.log(`\n| load | design | ${unit}/s | p50 ms | p99 ms | failed |`);
  console.log('|---|---|---:|---:|---:|---:|');
  for (const { load, design, result } of rows) {
    console.log(
      `| ${load} | ${design} | ${number(result.perSecond, 0)} | ${number(result.p50Ms, 2)} | ${number(result.p99Ms, 2)} | ${String(result.failed)} |`,
    );
  }
};
