// Lists that come in pages.

import type { Client } from './generated/client/index.js';
import { listConnectionEvents, listConnections } from './generated/sdk.gen.js';
import type { Connection, LedgerEvent, ListConnectionEventsData, ListConnectionsData } from './generated/types.gen.js';

/** The filters and the order of the list of connections; `limit` is how many are fetched at a time. */
export type ConnectionsQuery = Omit<NonNullable<ListConnectionsData['query']>, 'pageToken'>;

/** The parameters of a connection's events. */
export type EventsQuery = Omit<NonNullable<ListConnectionEventsData['query']>, 'pageToken'>;

/** Every connection that the caller may see and the query names. */
export function allConnections(client: Client, query: ConnectionsQuery = {}): AsyncGenerator<Connection> {
  return walk(
    async (page) => (await listConnections({ client, query: { ...query, ...page }, throwOnError: true })).data,
  );
}

/** Every event of a connection, oldest first. */
export function allEvents(client: Client, id: string, query: EventsQuery = {}): AsyncGenerator<LedgerEvent> {
  return walk(
    async (page) =>
      (await listConnectionEvents({ client, path: { id }, query: { ...query, ...page }, throwOnError: true })).data,
  );
}

interface Page<T> {
  value: T[];
  nextLink?: string;
}

/** Of `nextLink` only the page token is taken, so a user token never goes to another host. */
async function* walk<T>(fetch: (page: { pageToken?: string }) => Promise<Page<T>>): AsyncGenerator<T> {
  let page: { pageToken?: string } = {};
  for (;;) {
    const { value, nextLink } = await fetch(page);
    yield* value;
    const pageToken = nextLink && new URL(nextLink, 'http://service').searchParams.get('pageToken');
    if (!pageToken) {
      return;
    }
    page = { pageToken };
  }
}
