import type { RecordedEvent } from '@tollkeeper/event-store';
import { expect, it } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import { decodeEvent, UnknownEventError } from './decode-event.js';

const recorded = (change: Partial<RecordedEvent>): RecordedEvent => {
  const story = new AccountStory('acc_1').opened();
  const [opened] = story.events;
  if (!opened) throw new Error('no event');
  const place = { stream: story.stream, revision: 0, position: '1', recordedAt: new Date(0) };
  return { ...opened, ...place, ...change };
};

it('reads an event with its account', () => {
  expect(decodeEvent(recorded({})).event).toMatchObject({
    type: 'AccountOpened',
    accountId: 'acc_1',
    revision: 0,
  });
});

it.each<[string, Partial<RecordedEvent>]>([
  ['data that is not JSON', { data: '{' }],
  ['data that lacks a field', { data: '{}' }],
  ['metadata that is not JSON', { metadata: 'x' }],
  ['metadata without a version', { metadata: '{}' }],
])('%s is broken: a matter of its account alone', (_title, change) => {
  expect(decodeEvent(recorded(change)).broken).toMatchObject({
    account_id: 'acc_1',
    revision: 0,
    event_type: 'AccountOpened',
  });
});

it.each<[string, Partial<RecordedEvent>]>([
  ['an unknown type', { type: 'CreditsTeleported' }],
  ['a type that is a property of every object', { type: 'constructor' }],
  [
    'an unknown version',
    { metadata: recorded({}).metadata.replace('"schemaVersion":1', '"schemaVersion":2') },
  ],
])('%s throws: nobody may step over it', (_title, change) => {
  expect(() => decodeEvent(recorded(change))).toThrow(UnknownEventError);
});
