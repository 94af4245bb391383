/** Why a line has no cost: an answer like any other, never a failure of the command. */
export interface LineRefusal {
  readonly reason: string;
  readonly message: string;
}

export interface RefusedLine {
  readonly refused: LineRefusal;
}

export const refuse = (reason: string, message: string): RefusedLine => ({
  refused: { reason, message },
});

export const isRefusedLine = (value: object): value is RefusedLine =>
  'refused' in value && typeof value.refused === 'object';
