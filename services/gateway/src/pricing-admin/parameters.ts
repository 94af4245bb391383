import { time } from '@tollkeeper/contracts';
import { z } from 'zod';

export const none = z.object({});

export const reason = z.string().trim().min(1).max(256);

/** What a withdrawal says: why, and from when on. */
export const withdrawalFields = z.object({ reason, effectiveFrom: time.optional() });

/** Refusals that any operation of an admin may get. */
export const always = [
  'not-authorized',
  'invalid-request',
  'busy',
  'store-unavailable',
  'no-reply',
];
export const ofCommands = [...always, 'not-permitted', 'replay-mismatch'];
