// The feed of events.

import type { Client } from './generated/client/index.js';
import { listEvents } from './generated/sdk.gen.js';
import type { FeedEvent, ListEventsData } from './generated/types.gen.js';
import { UnexpectedAnswer, mayPass, retryAfterOf } from './problem.js';
import { sleep } from './retry.js';

/** Which part of the feed: `after` is the `cursor` of an event that was seen before; without it, from the beginning. */
export interface FeedOptions extends NonNullable<ListEventsData['query']> {
  /** Ends at the newest event, instead of waiting for more. */
  untilNewest?: boolean;
  /** Ends the reading. */
  signal?: AbortSignal;
}

/** How long a request waits for events, in seconds. */
const WAIT = 20;
/** The least time between two requests that bring nothing, in milliseconds. */
const PAUSE = 2000;

/**
 * The events of the feed, oldest first, each once; waits for more. Keep the `cursor` of the last one that was dealt with, to continue after
 * it later.
 *
 * That the service cannot be reached says nothing of the feed: the reading goes on, unless `untilNewest` is set. Throws `ProblemError` if
 * the service rejects a request; `feedRestarted` means that the feed has to be read from its beginning.
 */
export async function* readFeed(client: Client, options: FeedOptions = {}): AsyncGenerator<FeedEvent> {
  const { untilNewest = false, signal, ...query } = options;
  for (;;) {
    const began = Date.now();
    let seconds: number | undefined;
    const page = await listEvents({
      client,
      query,
      headers: untilNewest ? {} : { Prefer: `wait=${WAIT}` },
      throwOnError: true,
      ...(signal && { signal }),
    }).catch((error: unknown) => {
      if (untilNewest || !mayPass(error)) {
        throw error;
      }
      seconds = retryAfterOf(error);
    });
    if (page !== undefined && !Array.isArray(page.data?.value)) {
      throw new UnexpectedAnswer(page.response);
    }
    if (page !== undefined) {
      yield* page.data.value;
      query.after = page.data.cursor;
      // A page without events may only mean that none of those that were looked through concerns the caller.
      if (untilNewest && page.data.isAtHead) {
        return;
      }
    }
    // A service with many callers does not let each of them wait.
    if (!untilNewest && !page?.data.value.length) {
      await sleep(Math.max(began + PAUSE - Date.now(), (seconds ?? 0) * 1000, 0), signal);
    }
  }
}
