import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const find = (folder: string): string =>
  existsSync(join(folder, 'turbo.json')) ? folder : find(dirname(folder));

/** The checkout's folder, from the sources as from the build. */
export const root = find(import.meta.dirname);
