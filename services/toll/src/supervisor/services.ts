import path from 'node:path';

import type { NatsUser } from '@tollkeeper/servers';

import { projectRoot } from '../home/home.js';

export type ServiceName = 'simulator' | 'pricing' | 'credit' | 'projection' | 'gateway';

export interface ServiceDefinition {
  readonly name: ServiceName;
  readonly entry: string;
  /** Undefined for one that has no business on NATS. */
  readonly natsUser?: NatsUser;
  /** For one that serves HTTP. `first` counts upwards when it is busy; none: any free one. */
  readonly http?: { readonly firstPort?: number };
}

const entryOf = (name: ServiceName): string =>
  path.join(projectRoot, 'services', name, 'dist', 'main.js');

/** Started stage by stage, each stage's services at once; stopped in the opposite order. */
export const stages: readonly (readonly ServiceDefinition[])[] = [
  [
    { name: 'simulator', entry: entryOf('simulator'), http: {} },
    { name: 'pricing', entry: entryOf('pricing'), natsUser: 'pricing' },
  ],
  [
    { name: 'credit', entry: entryOf('credit'), natsUser: 'credit' },
    { name: 'projection', entry: entryOf('projection'), natsUser: 'projection' },
  ],
  [
    {
      name: 'gateway',
      entry: entryOf('gateway'),
      natsUser: 'gateway',
      http: { firstPort: 8787 },
    },
  ],
];
