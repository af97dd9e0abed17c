// How a client is made: whose tokens it sends, and what it retries.

import { accountsOf, isSameTenant, tenantIn } from './accounts.js';
import { createClient, createConfig } from './generated/client/index.js';
import type { Client } from './generated/client/index.js';
import { asError } from './problem.js';
import { retrying } from './retry.js';

/** Returns a user token for this service, without `Bearer`. It is called before each request, so that tokens can be renewed. */
export type TokenFunction = () => string | Promise<string>;

/** Where the service is, and who calls. */
export interface ConnectOptions {
  /** The service's URL. */
  baseUrl: string;
  /** The token of the person who makes changes. */
  token: TokenFunction;
  /**
   * Tokens of the person's accounts in other tenants, by tenant id: at most three. Every change sends them. The service rejects
   * those of tenants that a change does not concern, so name the accounts of the connections that this client is for.
   */
  auxiliary?: Readonly<Record<string, TokenFunction>>;
  /** How often a request is retried when it may succeed later; 3 if not given. */
  retries?: number;
  /** The longest pause before a retry, in milliseconds; a longer `Retry-After` is left to the caller. 30 seconds if not given. */
  maxPause?: number;
  /** Another `fetch`, for tests or for a proxy. */
  fetch?: typeof fetch;
}

const MAX_AUXILIARY = 3;
const AUXILIARY = 'x-ms-authorization-auxiliary';

/**
 * A client for the generated functions (`createConnection({ client, … })`).
 *
 * Each change has an `Idempotency-Key` of its own unless it is given one, so a request that gets no answer, or 429, 502 or 503, is
 * retried safely. With `throwOnError: true` an error response is thrown as a `ProblemError`, and a request without an answer ends with
 * `NoAnswer`; without, the result's `error` is the plain `Problem`.
 */
export function connect(options: ConnectOptions): Client {
  const { baseUrl, token, auxiliary = {}, retries = 3, maxPause = 30_000 } = options;
  const others = Object.values(auxiliary);
  if (others.length > MAX_AUXILIARY) {
    throw new TypeError(`a request has at most ${MAX_AUXILIARY} auxiliary tokens, not ${others.length}`);
  }

  /** The tenant of the token that was sent last. */
  let home: string | undefined;

  /** Adds the tokens of this moment. */
  async function authorize(request: Request, isChange: boolean): Promise<void> {
    const main = await token();
    home = tenantIn(main);
    request.headers.set('Authorization', `Bearer ${main}`);
    if (isChange && others.length > 0 && !request.headers.has(AUXILIARY)) {
      const tokens = await Promise.all(others.map((other) => other()));
      request.headers.set(AUXILIARY, tokens.map((text) => `Bearer ${text}`).join(', '));
    }
  }

  const sending = { fetch: options.fetch ?? globalThis.fetch, authorize, maxPause };
  const client = createClient(
    createConfig({
      baseUrl: baseUrl.replace(/\/+$/, ''),
      // A token must not follow a redirect to another host: a redirect is an `UnexpectedAnswer`.
      redirect: 'manual',
      fetch: retrying({ ...sending, retries }),
    }),
  );
  accountsOf.set(client, {
    fetchOnce: retrying({ ...sending, retries: 0 }),
    // Whose an unreadable token is, the service tells.
    mayHave: (tenantId) =>
      home === undefined || [home, ...Object.keys(auxiliary)].some((one) => isSameTenant(one, tenantId)),
  });
  client.interceptors.error.use((error, response, _request, { throwOnError }) =>
    throwOnError ? asError(error, response) : error,
  );
  return client;
}
