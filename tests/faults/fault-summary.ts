import { quantile } from '../support/quantile.js';
import type { FaultRecord, FaultReport } from './fault-run.js';

export const isClean = ({
  lost,
  broken,
  histories,
  openReservations,
  proof,
  moneyFaults,
}: FaultReport): boolean =>
  moneyFaults.length === 0 &&
  histories.wrong.length === 0 &&
  lost.length === 0 &&
  broken.length === 0 &&
  openReservations === 0 &&
  proof === undefined;

const rowOf = (name: string, faults: readonly FaultRecord[]): string => {
  const ms = faults.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b);
  const figures = [quantile(ms, 0.5), quantile(ms, 0.99), ms.at(-1) ?? NaN];
  const cells = [String(ms.length), ...figures.map((figure) => figure.toFixed(0))];
  return `| ${name.padEnd(32)} | ${cells.map((cell) => cell.padStart(8)).join(' | ')} |`;
};

/** A table of recoveries by fault, and what the books say. */
export const summaryOf = (report: FaultReport, seed: number): string => {
  const groups = new Map<string, FaultRecord[]>();
  for (const fault of report.faults) {
    const name = `${fault.kind} ${fault.target}`;
    groups.set(name, [...(groups.get(name) ?? []), fault]);
  }
  const { load } = report;
  const lines = [
    `| ${'fault'.padEnd(32)} |    times | p50 (ms) | p99 (ms) | max (ms) |`,
    `| ${'-'.repeat(32)} | -------: | -------: | -------: | -------: |`,
    ...[...groups].sort(([a], [b]) => a.localeCompare(b)).map(([name, some]) => rowOf(name, some)),
    rowOf('all', report.faults),
    '',
    `seed ${String(seed)}; ${String(report.faults.length)} of ${String(report.planned)} faults; ${String(report.events)} events; ${String(load.granted)} granted, ${String(load.reserved)} reserved, ${String(load.settled)} settled (${String(load.late)} late), ${String(load.released)} released, ${String(load.abandoned)} abandoned, ${String(load.unanswered)} given up without an answer`,
    `refused: ${[...load.refused].map(([reason, count]) => `${reason} ${String(count)}`).join(', ') || 'none'}`,
    `acknowledged ${String(report.acked)}: lost or changed ${String(report.lost.length)}; promises broken ${String(report.broken.length)}; open after their time ${String(report.openReservations)}; audit verify ${report.proof === undefined ? 'is content' : 'FAILS'}`,
    `histories ${String(report.histories.histories)} (${String(report.histories.operations)} operations, ${String(report.histories.unanswered)} unanswered; ${String(report.histories.tooLong)} too long to check): not linearizable ${String(report.histories.wrong.length)}`,
    `the vendor billed ${report.invoiceUsd} USD; debits and credits, balances, prices and the invoice: ${String(report.moneyFaults.length)} differences`,
    ...report.moneyFaults.slice(0, 20),
    ...report.histories.wrong.slice(0, 2).map((wrong) => JSON.stringify(wrong)),
    ...report.lost.slice(0, 20),
    ...report.broken.slice(0, 20),
    ...(report.proof === undefined ? [] : [report.proof]),
  ];
  return lines.join('\n');
};
