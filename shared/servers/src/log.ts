/** Where progress goes, one line at a time: a terminal, a log file, or nowhere. */
export type Log = (line: string) => void;

export const silent: Log = () => undefined;
