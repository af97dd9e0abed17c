// Waiting for a change that takes a while.

import type { Client } from './generated/client/index.js';
import { getOperation } from './generated/sdk.gen.js';
import type { Operation } from './generated/types.gen.js';
import { ProblemError, secondsOf } from './problem.js';

/** How long to wait, and with what. */
export interface WaitOptions {
  /** The longest time to wait, in milliseconds; two minutes if not given. */
  patience?: number;
  /** `Bearer <token>` of further accounts, as for the change itself. */
  auxiliary?: string;
  /** Ends the waiting; the change goes on. */
  signal?: AbortSignal;
}

/** The operation ended without the change; `operation.error` says why. */
export class OperationFailed extends Error {
  override readonly name = 'OperationFailed';

  constructor(readonly operation: Operation) {
    super(operation.error?.detail ?? 'the operation failed');
  }
}

/** The operation has not ended in the time given. It continues, unless it is `awaitingCaller`. */
export class OperationPending extends Error {
  override readonly name = 'OperationPending';

  constructor(readonly operation: Operation | undefined) {
    super(`the operation is still ${operation?.status ?? 'unknown'}`);
  }
}

const USUAL_PAUSE = 2;

/**
 * Follows the `Operation-Location` of an answer until the operation has ended, asking as often as `Retry-After` says.
 *
 * Only the operation's id is taken from the header, so a token never goes to another host.
 * Throws `OperationFailed`, `OperationPending`, or `ProblemError` for a refusal.
 */
export async function waitForOperation(
  client: Client,
  response: Response,
  { patience = 120_000, auxiliary, signal }: WaitOptions = {},
): Promise<Operation> {
  const id = idOf(response);
  const deadline = Date.now() + patience;
  let last: Operation | undefined;
  for (;;) {
    const seen = await look(client, id, auxiliary, signal);
    last = seen.operation ?? last;
    if (seen.operation?.status === 'succeeded') {
      return seen.operation;
    }
    if (seen.operation?.status === 'failed') {
      throw new OperationFailed(seen.operation);
    }
    const pause = (seen.retryAfter ?? USUAL_PAUSE) * 1000;
    if (Date.now() + pause > deadline) {
      throw new OperationPending(last);
    }
    await sleep(pause, signal);
  }
}

interface Seen {
  operation?: Operation;
  retryAfter: number | undefined;
}

/** One look. That the service can't answer now says nothing of the operation. */
async function look(
  client: Client,
  id: string,
  auxiliary: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Seen> {
  try {
    const { data, response } = await getOperation({
      client,
      path: { id },
      throwOnError: true,
      ...(auxiliary && { headers: { 'x-ms-authorization-auxiliary': auxiliary } }),
      ...(signal && { signal }),
    });
    return { operation: data, retryAfter: secondsOf(response) };
  } catch (error) {
    if (error instanceof ProblemError && error.problem.retryable) {
      return { retryAfter: error.retryAfter };
    }
    throw error;
  }
}

function idOf(response: Response): string {
  const location = response.headers.get('Operation-Location');
  const id = location && new URL(location, 'http://service').pathname.split('/').pop();
  if (!id) {
    throw new TypeError('the answer names no operation');
  }
  return id;
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(done, milliseconds);
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
