// Retries of requests that may succeed later.

import { NoAnswer, isProblem, secondsOf } from './problem.js';

/** How requests are sent. */
interface Sending {
  fetch: typeof fetch;
  /** Adds tokens; called before each attempt, because a token may expire in a pause. */
  authorize: (request: Request, isChange: boolean) => Promise<void>;
  retries: number;
  maxPause: number;
}

const RETRIED = [429, 502, 503];
const FIRST_PAUSE = 500;

/** A `fetch` that authorizes requests and retries them. */
export function retrying({ fetch, authorize, retries, maxPause }: Sending): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const isChange = request.method !== 'GET' && request.method !== 'HEAD';
    if (isChange && !request.headers.has('Idempotency-Key')) {
      request.headers.set('Idempotency-Key', crypto.randomUUID());
    }
    for (let attempt = 0; ; attempt += 1) {
      const sent = request.clone();
      await authorize(sent, isChange);
      const outcome = await wholeAnswer(fetch, sent).catch((error: unknown) => {
        request.signal.throwIfAborted();
        return new NoAnswer(error);
      });
      const pause = attempt < retries ? await pauseAfter(outcome, attempt) : undefined;
      if (pause === undefined || pause > maxPause || request.signal.aborted) {
        if (outcome instanceof NoAnswer) {
          throw outcome;
        }
        return outcome;
      }
      await sleep(pause, request.signal);
    }
  };
}

/** An answer that breaks off is none; what else than JSON is sent, its reader meets. */
async function wholeAnswer(fetch: typeof globalThis.fetch, request: Request): Promise<Response> {
  const response = await fetch(request);
  if (/^application\/(problem\+)?json\b/.test(response.headers.get('Content-Type') ?? '')) {
    await response.clone().arrayBuffer();
  }
  return response;
}

/** How long to wait before the next attempt, in milliseconds; undefined if none would help. */
async function pauseAfter(outcome: Response | NoAnswer, attempt: number): Promise<number | undefined> {
  // Spread, so that clients that failed together do not come back together.
  const usual = FIRST_PAUSE * 2 ** attempt * (0.5 + Math.random() / 2);
  if (outcome instanceof NoAnswer) {
    return usual;
  }
  if (!RETRIED.includes(outcome.status)) {
    return undefined;
  }
  const seconds = secondsOf(outcome);
  const problem: unknown = await outcome.clone().json().catch(() => undefined);
  if (isProblem(problem) && !problem.retryable) {
    return undefined;
  }
  return seconds === undefined ? usual : seconds * 1000;
}

/** The longest time that timers have. */
const LONGEST = 2 ** 31 - 1;

/** Waits; ends with the signal's reason if it is aborted before. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(done, Math.min(milliseconds, LONGEST));
    signal?.addEventListener('abort', stop, { once: true });

    function done(): void {
      signal?.removeEventListener('abort', stop);
      resolve();
    }

    function stop(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
  });
}

/** Does something that ends with `NoAnswer` if it takes longer, and with the signal's reason if that is aborted before. */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const both = new AbortController();
  const stop = () => both.abort(signal?.reason);
  const timer = setTimeout(() => both.abort(new NoAnswer('it took too long')), Math.min(milliseconds, LONGEST));
  signal?.addEventListener('abort', stop, { once: true });
  // The request ends by itself when it is aborted; a token function may not.
  const aborted = new Promise<never>((_, reject) => {
    both.signal.addEventListener('abort', () => reject(both.signal.reason), { once: true });
  });
  try {
    return await Promise.race([work(both.signal), aborted]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}
