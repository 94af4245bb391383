import { openPostgresEventStore } from '@tollkeeper/event-store';
import { openProjectorPool } from '../database.js';
import { BatchProjector } from '../projector/batch-projector.js';
import { consume } from '../projector/consume.js';

/** A process to be killed by a spec: projects all events in batches of ten. */
const [databaseUrl = '', storeId = ''] = process.argv.slice(2);
const pool = openProjectorPool({ databaseUrl, applicationName: 'to-be-killed' });
const store = await openPostgresEventStore({
  url: databaseUrl,
  applicationName: 'to-be-killed',
  allowUnsafe: true,
});
const projector = await BatchProjector.atCheckpoint(pool, storeId);
await consume(store, {
  after: projector.checkpoint,
  batchMax: 10,
  restMs: 0,
  signal: new AbortController().signal,
  onEvents: async (events) => {
    await projector.apply(events);
  },
});
