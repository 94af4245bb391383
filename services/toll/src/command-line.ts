import type { Command } from 'commander';
import type { Printer } from './print.js';

/** What a command does; the exit code is 0 unless it returns another or throws. */
export type Work = (print: Printer) => Promise<number | undefined>;

export type Run = (work: Work) => Promise<void>;

/** Adds a command that takes `--json` before or after its name. */
export type Add = (parent: Command, nameAndArgs: string, description: string) => Command;
