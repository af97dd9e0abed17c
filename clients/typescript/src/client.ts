// How a client is made, so that every refusal arrives as a typed error.

import { createClient, createConfig } from './generated/client/index.js';
import type { Client } from './generated/client/index.js';
import { asError } from './problem.js';

/** Where the service is, and who calls. */
export interface ConnectOptions {
  /** The service's URL. */
  baseUrl: string;
  /** Gives the user token for this service, without `Bearer`; asked before each request, so that it may be renewed. */
  token: () => string | Promise<string>;
  /** Another `fetch`, for tests or for a proxy. */
  fetch?: typeof fetch;
}

/**
 * A client for the generated functions (`createConnection({ client, … })`).
 *
 * With `throwOnError: true` a refusal is thrown as a `ProblemError`; without, the result's `error` is the plain `Problem`.
 */
export function connect({ baseUrl, token, fetch }: ConnectOptions): Client {
  const client = createClient(
    createConfig({
      baseUrl: baseUrl.replace(/\/+$/, ''),
      auth: async () => token(),
      // A token must not follow a redirect to another host.
      redirect: 'error',
      ...(fetch && { fetch }),
    }),
  );
  client.interceptors.error.use((error, response, _request, options) =>
    options.throwOnError ? asError(error, response) : error,
  );
  return client;
}
