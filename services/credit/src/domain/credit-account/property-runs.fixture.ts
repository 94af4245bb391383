/** How often a property is tried: fewer times where thousands of planted defects are tried as well. */
export const runsOf = (usual: number): number =>
  Math.min(usual, Number(process.env['PROPERTY_RUNS_MAX'] ?? usual));
