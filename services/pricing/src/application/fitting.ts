/** Leaves room in a message of the bus, which carries 1 MB, for what else is in it. */
const charactersMax = 400_000;

/** The first of the rows, as many as fit into a message; at least one, if there is any. */
export const fitting = <R>(rows: readonly R[]): R[] => {
  let characters = 0;
  const tooMany = rows.findIndex((row, place) => {
    characters += JSON.stringify(row).length + 1;
    return characters > charactersMax && place > 0;
  });
  return tooMany < 0 ? [...rows] : rows.slice(0, tooMany);
};
