// What the helpers know of a client that `connect` made.

import type { Client } from './generated/client/index.js';

/** Whose tokens a client sends, and how it sends a request. */
export interface Accounts {
  /** Sends a request once, without retries. */
  fetchOnce: typeof fetch;
  /** Whether the client may have a token of this tenant. */
  mayHave: (tenantId: string) => boolean;
}

export const accountsOf = new WeakMap<Client, Accounts>();

/** The tenant that issued a token; undefined if the token can't be read. */
export function tenantIn(token: string): string | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/');
    const { tid } = JSON.parse(atob(payload)) as { tid?: unknown };
    return typeof tid === 'string' ? tid : undefined;
  } catch {
    return undefined;
  }
}

export function isSameTenant(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
