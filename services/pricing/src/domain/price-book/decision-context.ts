/** What a decision about the price book depends on besides its stream. */
export interface DecisionContext {
  /** Never before the stream's last event. */
  readonly at: Date;
  /** Whose key came with the command; recorded as the events' actor. */
  readonly actor: string;
  /** So long after its record a change holds at the earliest, so that every replica knows it by then. */
  readonly leadMs: number;
  /** The value in force, or the built-in one. */
  readonly setting: (name: string) => string;
  /** Who has set the value in force; undefined where it is the built-in one. */
  readonly settingSetBy: (name: string) => string | undefined;
}

/** The instant asked for, but at the earliest the lead time from now; ISO, milliseconds, UTC. */
export const notBeforeLead = (asked: string | undefined, context: DecisionContext): string => {
  const earliestMs = context.at.getTime() + context.leadMs;
  const askedMs = asked === undefined ? earliestMs : Date.parse(asked);
  return new Date(Math.max(askedMs, earliestMs)).toISOString();
};
