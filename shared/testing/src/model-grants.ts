import { least, type Units } from './credit-units.js';

/** Credits of one grant. */
export interface Part {
  readonly grantId: string;
  readonly units: Units;
}

interface Grant {
  readonly grantId: string;
  readonly priority: number;
  readonly effectiveAtMs: number;
  readonly expiresAtMs: number;
  readonly order: number;
  /** The rule that brought it. */
  readonly recurringId?: string;
  left: Units;
  /** Expired by the service, or voided. */
  ended: boolean;
}

/** The grants of a model's account, in draw order: lowest priority number, earliest expiry, oldest. */
export class ModelGrants {
  private all: Grant[] = [];

  clone(): ModelGrants {
    const copy = new ModelGrants();
    copy.all = this.all.map((grant) => ({ ...grant }));
    return copy;
  }

  digest(): string {
    return this.all
      .map((each) => `${each.grantId}=${each.left.toString()}${each.ended ? '!' : ''}`)
      .join();
  }

  ids(): string[] {
    return this.all.map(({ grantId }) => grantId);
  }

  get(grantId: string): Readonly<Grant> | undefined {
    return this.all.find((each) => each.grantId === grantId);
  }

  add(grant: Omit<Grant, 'order' | 'ended'>): void {
    this.all.push({ ...grant, order: this.all.length, ended: false });
    this.all.sort(
      (a, b) =>
        a.priority - b.priority ||
        (a.expiresAtMs === b.expiresAtMs ? 0 : a.expiresAtMs - b.expiresAtMs) ||
        a.order - b.order,
    );
  }

  /** What is left of it is gone, and what comes back to it later lapses. */
  end(grantId: string): void {
    for (const grant of this.all) {
      if (grant.grantId !== grantId) continue;
      grant.left = 0n;
      grant.ended = true;
    }
  }

  /** What earlier months of a rule have left beyond this goes, the oldest first; a grant that has nothing left then is over. */
  keepOf(recurringId: string, most: Units, onFact: () => void): void {
    const months = this.all
      .filter((grant) => grant.recurringId === recurringId && grant.left > 0n)
      .sort((a, b) => a.order - b.order);
    let excess = months.reduce((sum, { left }) => sum + left, 0n) - most;
    for (const grant of months) {
      if (excess <= 0n) return;
      const part = least(excess, grant.left);
      grant.left -= part;
      excess -= part;
      if (grant.left === 0n) grant.ended = true;
      onFact();
    }
  }

  free(atMs: number): Units {
    let units = 0n;
    for (const grant of this.all) if (inForce(grant, atMs)) units += grant.left;
    return units;
  }

  draw(units: Units, atMs: number): { readonly parts: Part[]; readonly short: Units } {
    const parts: Part[] = [];
    let short = units;
    for (const grant of this.all) {
      const part = inForce(grant, atMs) ? least(short, grant.left) : 0n;
      if (part === 0n) continue;
      grant.left -= part;
      short -= part;
      parts.push({ grantId: grant.grantId, units: part });
    }
    return { parts, short };
  }

  /** What lapses: it was drawn from grants that are over by now. */
  giveBack(parts: readonly Part[], atMs: number): Part[] {
    const lapsed: Part[] = [];
    for (const part of parts) {
      const grant = this.all.find((each) => each.grantId === part.grantId);
      if (grant && !grant.ended && atMs < grant.expiresAtMs) grant.left += part.units;
      else lapsed.push(part);
    }
    return lapsed;
  }
}

const inForce = (grant: Grant, atMs: number): boolean =>
  !grant.ended && grant.effectiveAtMs <= atMs && atMs < grant.expiresAtMs;

/** Takes some from the front of the parts. */
export const split = (
  parts: readonly Part[],
  units: Units,
): { readonly taken: Part[]; readonly rest: Part[]; readonly short: Units } => {
  const taken: Part[] = [];
  const rest: Part[] = [];
  let short = units;
  for (const part of parts) {
    const some = least(short, part.units);
    if (some > 0n) taken.push({ ...part, units: some });
    if (some < part.units) rest.push({ ...part, units: part.units - some });
    short -= some;
  }
  return { taken, rest, short };
};
