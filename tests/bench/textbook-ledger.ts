import { WrongExpectedRevisionError, type EventStore } from '@tollkeeper/event-store';
import { uuidv7 } from '@tollkeeper/kernel';

/**
 * Textbook event sourcing: read the stream, decide, append at the expected revision, and from the
 * beginning again on a conflict. Every caller for itself.
 */
export const textbookAppend = async (
  store: EventStore,
  stream: string,
  type: string,
  data: string,
  isOver: () => boolean,
): Promise<void> => {
  while (!isOver()) {
    let revision = -1;
    for await (const event of store.read(stream)) revision = event.revision;
    try {
      await store.append(stream, revision < 0 ? 'no-stream' : revision, [
        { id: uuidv7(), type, data, metadata: '{}' },
      ]);
      return;
    } catch (error) {
      if (!(error instanceof WrongExpectedRevisionError)) throw error;
    }
  }
};
