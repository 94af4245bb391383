import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type * as Client from '@tollkeeper/client';
import { root } from './root.js';

const run = promisify(execFile);

/** What `npm pack` made of shared/client, unpacked in a project of its own outside the repository. */
export interface PackedClient {
  readonly folder: string;
  readonly manifest: { readonly dependencies: Readonly<Record<string, string>> };
  readonly load: () => Promise<typeof Client>;
  /** Runs a plain script there, with the variables given; what it printed. */
  readonly script: (source: string, env?: Readonly<Record<string, string>>) => Promise<string>;
  readonly remove: () => Promise<void>;
}

/** As `npm install <tarball>` lays it out, without asking a registry: public packages are linked. */
export const packClient = async (): Promise<PackedClient> => {
  const folder = await mkdtemp(join(tmpdir(), 'tollkeeper-packed-'));
  const cwd = join(root, 'shared/client');
  await run('npm', ['pack', '--pack-destination', folder], { cwd });
  const modules = join(folder, 'node_modules');
  const installed = join(modules, '@tollkeeper/client');
  await mkdir(installed, { recursive: true });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  await run('tar', ['-xzf', join(folder, tarball), '-C', installed, '--strip-components=1']);
  const manifest = JSON.parse(
    await readFile(join(installed, 'package.json'), 'utf8'),
  ) as PackedClient['manifest'];
  for (const name of Object.keys(manifest.dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  let scripts = 0;
  return {
    folder,
    manifest,
    load: async () => (await import(join(installed, 'dist/bundle/index.js'))) as typeof Client,
    script: async (source, env = {}) => {
      const file = join(folder, `script-${String(scripts++)}.mjs`);
      await writeFile(file, source);
      const { PATH } = process.env;
      const { stdout } = await run(process.execPath, [file], {
        cwd: folder,
        env: { PATH, ...env },
      });
      return stdout;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
