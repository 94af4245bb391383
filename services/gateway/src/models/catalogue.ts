import { modelsReply, pricingSubjects, type PricedModel } from '@tollkeeper/contracts';
import { HttpRefusal, unavailable } from '../http/http-refusal.js';
import type { Vendor } from '../vendors/vendor.js';

/** A priced model and the vendor that serves it. */
export interface Candidate {
  readonly provider: string;
  readonly model: string;
  readonly vendor: Vendor;
  /** The model's name at that vendor. */
  readonly upstreamModel: string;
  readonly contextTokensMax: number | undefined;
  readonly outputTokensMax: number | undefined;
  readonly effectiveFrom: string;
}

/** One `pricing.v1.models` request. */
export type AskModels = (subject: string) => Promise<unknown>;

const candidatesMax = 8;

/** Where one bare name is priced for several providers, the maker of the model comes before a reseller. */
const makers = ['openai', 'anthropic', 'google', 'deepseek', 'mistral', 'x-ai'];
const rankOf = (provider: string): number => {
  const rank = makers.indexOf(provider);
  return rank === -1 ? makers.length : rank;
};

const notFound = (name: string): HttpRefusal =>
  new HttpRefusal({
    status: 404,
    type: 'invalid_request_error',
    code: 'model_not_found',
    message: `The model \`${name.slice(0, 160)}\` does not exist or has no price.`,
    param: 'model',
  });

/**
 * The models that can be called: those with a price now and a vendor. A reply that is late leaves the last
 * one in force, because the credit service prices anyway and refuses what it cannot price.
 */
export class Catalogue {
  private byName = new Map<string, Candidate>();
  private listed: readonly Candidate[] = [];
  private loaded = false;

  constructor(
    private readonly vendors: readonly Vendor[],
    private readonly ask: AskModels,
  ) {}

  get size(): number {
    return this.listed.length;
  }

  /** Throws where pricing does not answer, or not as the contract says. */
  async refresh(): Promise<void> {
    const { models } = modelsReply.parse(await this.ask(pricingSubjects.models));
    this.load(models);
  }

  load(models: readonly PricedModel[]): void {
    const byName = new Map<string, Candidate>();
    const listed: Candidate[] = [];
    const ranked = [...models].sort((a, b) => rankOf(a.provider) - rankOf(b.provider));
    const served = this.vendors.flatMap((vendor) =>
      ranked
        .filter((model) => vendor.serves(model.provider))
        .map((model) => ({ model, candidate: toCandidate(model, vendor) })),
    );
    for (const { candidate } of served) {
      const full = `${candidate.provider}/${candidate.model}`;
      if (byName.has(full)) continue;
      byName.set(full, candidate);
      listed.push(candidate);
      if (!byName.has(candidate.model)) byName.set(candidate.model, candidate);
    }
    // Aliases come last: no alias may take a model's own name away from it.
    for (const { model, candidate } of served) {
      for (const alias of model.aliases) {
        for (const name of [`${model.provider}/${alias}`, alias]) {
          if (!byName.has(name)) byName.set(name, candidate);
        }
      }
    }
    this.byName = byName;
    this.listed = listed;
    this.loaded = true;
  }

  /** First choice first, each once. @throws HttpRefusal 404, or 503 before prices are known. */
  route(names: readonly string[]): readonly [Candidate, ...Candidate[]] {
    if (!this.loaded) throw unavailable('Prices are not known yet.', 'not_ready');
    const route = new Set<Candidate>();
    for (const name of names) {
      const candidate = this.byName.get(name);
      if (!candidate) throw notFound(name);
      route.add(candidate);
    }
    const [first, ...rest] = route;
    if (!first) throw notFound('');
    return [first, ...rest.slice(0, candidatesMax - 1)];
  }

  /** Every model once, by the shortest name that means it. */
  list(): readonly { readonly name: string; readonly candidate: Candidate }[] {
    return this.listed.map((candidate) => ({
      candidate,
      name:
        this.byName.get(candidate.model) === candidate
          ? candidate.model
          : `${candidate.provider}/${candidate.model}`,
    }));
  }
}

const toCandidate = (model: PricedModel, vendor: Vendor): Candidate => ({
  provider: model.provider,
  model: model.model,
  vendor,
  upstreamModel: vendor.config.modelNames[model.model] ?? model.model,
  contextTokensMax: model.contextTokensMax,
  outputTokensMax: model.outputTokensMax,
  effectiveFrom: model.effectiveFrom,
});
