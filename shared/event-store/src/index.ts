export * from './event-store.js';
export {
  createMemoryEventStore,
  createMemoryStorage,
  type MemoryStorage,
} from './memory-event-store.js';
export { openEventStore, type OpenEventStoreOptions } from './open-event-store.js';
export { openPostgresEventStore, type PostgresEventStoreOptions } from './postgres-event-store.js';
