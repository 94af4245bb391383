interface Figure {
  readonly about: string;
  readonly day: number;
  readonly night: number;
}

const figures = {
  KILLS: { about: 'kills of each process', day: 10, night: 200 },
  PAUSES: { about: 'pauses of each process, faults of each kind of each link', day: 1, night: 30 },
  LOSSES: { about: 'power losses of each server and of all together', day: 3, night: 50 },
  MESSAGES: { about: 'commands sent 2, 5 and 20 times', day: 10_000, night: 1_000_000 },
  MODEL_RUNS: { about: 'lives of an account beside the model', day: 1_000, night: 20_000 },
  MODEL_STEPS: { about: 'commands of the longest of them', day: 100, night: 200 },
  REAL_LIVES: {
    about: 'of them through the services, on a real event store',
    day: 100,
    night: 2_000,
  },
  HISTORIES: { about: 'histories checked for an order', day: 200, night: 2_500 },
  FAULTY_HISTORIES: { about: 'of them under kills and pauses', day: 20, night: 2_500 },
} as const satisfies Readonly<Record<string, Figure>>;
export type FigureName = keyof typeof figures;

/** As the environment says, else by day or by night. */
export const figure = (name: FigureName, isNight: boolean): number => {
  const given = process.env[name];
  if (given === undefined || given === '') return isNight ? figures[name].night : figures[name].day;
  const count = Number(given);
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`${name} is no count: ${given}`);
  return count;
};

export const figuresUsage = Object.entries(figures)
  .map(([name, { about, day, night }]) => {
    const both = `(${String(day)}, ${String(night)})`;
    return `  ${`${name}=N`.padEnd(15)} ${about} ${both}`;
  })
  .join('\n');
