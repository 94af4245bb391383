import { pricingSubjects, settingsReply } from '@tollkeeper/contracts';
import type { AskModels } from './catalogue.js';

const setting = 'default_output_limit';

/**
 * The output limit of a call that names none: what admins have set, else what is configured. A reply that is late, or
 * that makes no sense, leaves the last one in force.
 */
export class OutputLimit {
  private set: number | undefined;

  constructor(
    private readonly configured: number,
    private readonly ask: AskModels,
  ) {}

  get tokens(): number {
    return this.set ?? this.configured;
  }

  /** Throws where pricing does not answer, or not as the contract says. */
  async refresh(): Promise<void> {
    const { settings } = settingsReply.parse(await this.ask(pricingSubjects.settings));
    const text = settings[setting];
    if (text === undefined) this.set = undefined;
    else if (/^[1-9]\d{0,6}$/.test(text)) this.set = Number(text);
    else throw new Error(`${setting} is no number of tokens: ${text.slice(0, 40)}`);
  }
}
