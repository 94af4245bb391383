import type { ModelCommand, Random } from '@tollkeeper/testing';

/** One copy of a command on its way. */
export interface Delivery {
  readonly accountId: string;
  readonly command: ModelCommand;
  /** How far back in the queue it is. */
  readonly at: number;
}

const model = { provider: 'openai', model: 'gpt-4o' };

/** A story of one account in which each subject of the credit service is used; the same for the same seed. */
export const storyOf = (random: Random, calls: number): ModelCommand[] => {
  const story: ModelCommand[] = [
    { verb: 'open', id: 'open', body: { ownerUserId: 'usr_1', tier: 'pro' } },
    { verb: 'grant', id: 'grant', body: { amountCredits: '100000' } },
  ];
  for (let n = 0; n < calls; n++) {
    const reservationId = `r${String(n)}`;
    const kind = random.int(0, 9);
    if (kind < 4) {
      const amountCredits = String(random.int(1, 20));
      story.push({ verb: 'reserve', id: reservationId, body: { amountCredits } });
      story.push({ verb: 'settle', id: `s${String(n)}`, body: { reservationId, amountCredits } });
    } else if (kind < 7) {
      const bounds = { inputTokens: 1000, outputTokens: 100 };
      const usage = { input: random.int(1, 1000), output: random.int(0, 100) };
      const attempts = [{ ...model, provenance: 'estimated', usage }];
      story.push({ verb: 'reserve', id: reservationId, body: { candidates: [model], bounds } });
      story.push({ verb: 'settle', id: `s${String(n)}`, body: { reservationId, attempts } });
      if (kind === 6) {
        const exact = [{ ...model, usage: { ...usage, input: random.int(1, 1000) } }];
        story.push({
          verb: 'correct',
          id: `u${String(n)}`,
          body: { reservationId, attempts: exact },
        });
      }
    } else if (kind < 9) {
      story.push({ verb: 'reserve', id: reservationId, body: { amountCredits: '5' } });
      const body = { reservationId, reason: 'failed' } as const;
      story.push({ verb: 'release', id: `l${String(n)}`, body });
    } else {
      story.push({ verb: 'charge', id: reservationId, body: { amountCredits: '2' } });
    }
  }
  return story;
};

/** Each command `copies` times, early and late and out of order, as a bus does that promises no more than "at least once". */
export const scatter = (
  accountId: string,
  story: readonly ModelCommand[],
  copies: number,
  random: Random,
): Delivery[] =>
  story
    .flatMap((command, place) =>
      Array.from({ length: copies }, (_, copy) => ({
        accountId,
        command,
        at: place + random.int(copy === 0 ? -3 : -10, 10 + copy * 20),
      })),
    )
    .sort((a, b) => a.at - b.at);
