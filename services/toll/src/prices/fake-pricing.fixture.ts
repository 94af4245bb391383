import { pricingAdminSubjects } from '@tollkeeper/contracts';
import { connectNats, type NatsConnection } from '@tollkeeper/messaging';

export interface HeardImport {
  readonly adminKey: string | undefined;
  readonly commandId: string | undefined;
  readonly bytes: number;
  readonly prices: readonly { readonly provider: string; readonly model: string }[];
  readonly dryRun: boolean;
  readonly reason: string;
}

type Answer = (heard: HeardImport) => object;

const nothing: Answer = () => ({ status: 'accepted', prices: [] });

/** What `toll prices import` needs of the pricing service, at the other end of a real nats-server. */
export class FakePricing {
  readonly heard: HeardImport[] = [];
  private answers: Answer = nothing;

  private constructor(private readonly nats: NatsConnection) {}

  static async start(url: string): Promise<FakePricing> {
    const nats = await connectNats({ url, name: 'fake-pricing' });
    const fake = new FakePricing(nats);
    nats.subscribe(pricingAdminSubjects.importPrices, {
      callback: (_, message) => {
        const body = message.json<Pick<HeardImport, 'prices' | 'dryRun' | 'reason'>>();
        const adminKey = message.headers?.get('Toll-Admin-Key');
        const commandId = message.headers?.get('Toll-Command-Id');
        const heard = { adminKey, commandId, bytes: message.data.length, ...body };
        fake.heard.push(heard);
        message.respond(JSON.stringify(fake.answers(heard)));
      },
    });
    await nats.flush();
    return fake;
  }

  /** Forgets what it heard, and answers so from now on. */
  answer(answers: Answer = nothing): void {
    this.heard.length = 0;
    this.answers = answers;
  }

  stop(): Promise<void> {
    return this.nats.close();
  }
}
