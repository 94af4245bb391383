import { createHash } from 'node:crypto';
import type { AdminRole } from '@tollkeeper/contracts';
import { permittedRoles, type PricingAdminCommand } from './permissions.js';

/** Whoever holds a key: an id, never a name, and what it may do. */
export interface Admin {
  readonly actor: string;
  readonly role: AdminRole;
}

/** Whose key has this SHA-256; undefined for no key, or a revoked one. Throws where nobody can say. */
export type VerifyAdminKey = (keyHash: string) => Promise<Admin | undefined>;

export interface NotAdmitted {
  readonly refused: 'not-authorized' | 'not-permitted' | 'busy';
  readonly message: string;
  readonly retryable: boolean;
}

const rememberedMs = 10_000;
const rememberedMax = 1_000;

interface Remembered {
  readonly admin: Admin;
  readonly untilMs: number;
}

const refused = (
  reason: NotAdmitted['refused'],
  message: string,
  retryable = false,
): NotAdmitted => ({ refused: reason, message, retryable });

/**
 * Who may change the price book. Keys are known by their hash alone, and for ten seconds: so long a revoked one may still
 * pass here. A key that nobody knows is asked about each time, so that a new one works at once.
 */
export class Admins {
  private readonly remembered = new Map<string, Remembered>();

  constructor(
    private readonly verify: VerifyAdminKey,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  async admit(key: string | undefined, command: PricingAdminCommand): Promise<Admin | NotAdmitted> {
    if (key === undefined) return refused('not-authorized', 'an admin key is needed');
    let admin: Admin | undefined;
    try {
      admin = await this.holderOf(createHash('sha256').update(key).digest('hex'));
    } catch {
      return refused('busy', 'admin keys cannot be checked at the moment; ask again', true);
    }
    if (!admin) return refused('not-authorized', 'the admin key is not known, or revoked');
    return permittedRoles[command].includes(admin.role)
      ? admin
      : refused('not-permitted', `the role ${admin.role} does not cover this`);
  }

  private async holderOf(keyHash: string): Promise<Admin | undefined> {
    const known = this.remembered.get(keyHash);
    if (known && known.untilMs > this.nowMs()) return known.admin;
    this.remembered.delete(keyHash);
    const askedMs = this.nowMs();
    const admin = await this.verify(keyHash);
    if (!admin) return undefined;
    if (this.remembered.size >= rememberedMax) this.remembered.clear();
    this.remembered.set(keyHash, { admin, untilMs: askedMs + rememberedMs });
    return admin;
  }
}
