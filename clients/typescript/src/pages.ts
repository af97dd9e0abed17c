// Lists that come in pages.

import type { Client } from './generated/client/index.js';
import { listConnectionEvents, listConnections } from './generated/sdk.gen.js';
import type { Connection, LedgerEvent, ListConnectionsData } from './generated/types.gen.js';

interface Page<T> {
  value: T[];
  nextLink?: string;
}

type Query = NonNullable<ListConnectionsData['query']>;

/** Every connection that the caller may see, newest first; fetches `limit` at a time (1 to 200). */
export function allConnections(client: Client, limit?: number): AsyncGenerator<Connection> {
  return walk(limit, async (query) => (await listConnections({ client, query, throwOnError: true })).data);
}

/** Every event of a connection, oldest first; fetches `limit` at a time (1 to 200). */
export function allEvents(client: Client, id: string, limit?: number): AsyncGenerator<LedgerEvent> {
  return walk(
    limit,
    async (query) => (await listConnectionEvents({ client, path: { id }, query, throwOnError: true })).data,
  );
}

/** Of `nextLink` only the parameters are taken, so a token never goes to another host. */
async function* walk<T>(
  limit: number | undefined,
  fetch: (query: Query) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let query: Query = limit === undefined ? {} : { limit };
  for (;;) {
    const page = await fetch(query);
    yield* page.value;
    const token = page.nextLink && new URL(page.nextLink, 'http://service').searchParams.get('pageToken');
    if (!token) {
      return;
    }
    query = { ...query, pageToken: token };
  }
}
