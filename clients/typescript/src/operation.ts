// Waiting for a change that takes a while.

import type { Client } from './generated/client/index.js';
import { continueOperation, getOperation } from './generated/sdk.gen.js';
import type { Operation } from './generated/types.gen.js';
import { ProblemError, mayPass, secondsOf } from './problem.js';
import { sleep } from './retry.js';

/** How to wait. */
export interface WaitOptions {
  /** The longest time to wait, in milliseconds; two minutes if not given. */
  timeout?: number;
  /** Provides the tokens before waiting: after a sign-in with the claims of a `ClaimsRequired`. */
  resume?: boolean;
  /** The `requestHash` of another person's operation, to continue it in one's own name. */
  requestHash?: string;
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

/** The operation has not ended in the time given; wait again with its id. */
export class OperationPending extends Error {
  override readonly name = 'OperationPending';

  constructor(
    readonly operationId: string,
    /** As it was last seen, if it was. */
    readonly operation: Operation | undefined,
  ) {
    super(`operation ${operationId} is still ${operation?.status ?? 'unknown'}`);
  }
}

/**
 * A tenant requires more proof of its user before the operation continues: let that user sign in to `tenantId` with `claims`, so that
 * the client's token function returns the new token, and wait again with `resume: true`.
 */
export class ClaimsRequired extends Error {
  override readonly name = 'ClaimsRequired';

  constructor(
    readonly operationId: string,
    readonly tenantId: string,
    /** JSON text, to be passed on unchanged as `claims` of the sign-in. */
    readonly claims: string,
  ) {
    super(`operation ${operationId} waits for a sign-in to tenant ${tenantId} with more proof`);
  }
}

const USUAL_PAUSE = 2;
/** How long a read waits for the operation to change, in seconds. */
const READ_WAIT = 20;

/**
 * Waits until an operation has ended, reading it as often as `Retry-After` says. The operation is named by its id, or by a response with
 * `Operation-Location`, of which only the id is used: a token never goes to another host.
 *
 * An operation that waits for tokens is continued with those of the client. That the service cannot be reached, or that something
 * between here and the service answers, says nothing of the operation: the waiting goes on.
 *
 * Throws `OperationFailed`, `OperationPending`, `ClaimsRequired`, or `ProblemError` if the service rejects a request.
 */
export async function waitForOperation(
  client: Client,
  operation: string | Response,
  { timeout = 120_000, resume = false, requestHash, signal }: WaitOptions = {},
): Promise<Operation> {
  const deadline = Date.now() + timeout;
  const id = typeof operation === 'string' ? operation : idOf(operation);
  const call = { client, path: { id }, throwOnError: true, ...(signal && { signal }) } as const;
  // The first look does not wait: the operation may have ended, or wait for its caller.
  let isFirst = true;
  const read = () => {
    const headers = isFirst ? {} : preferring(deadline);
    isFirst = false;
    return getOperation({ ...call, headers });
  };
  const provideTokens = () => continueOperation({ ...call, body: requestHash === undefined ? {} : { requestHash } });
  let last: Operation | undefined;
  let next = resume ? provideTokens : read;
  for (;;) {
    const began = Date.now();
    const { seen, retryAfter } = await look(id, next);
    last = seen ?? last;
    if (seen?.status === 'succeeded') {
      return seen;
    }
    if (seen?.status === 'failed') {
      throw new OperationFailed(seen);
    }
    const isFresh = next === read;
    if (seen !== undefined) {
      next = read;
    }
    if (isFresh && seen?.status === 'awaitingCaller' && needsTokens(seen)) {
      next = provideTokens;
      continue;
    }
    const nextAt = began + (retryAfter ?? USUAL_PAUSE) * 1000;
    if (Math.max(nextAt, Date.now()) >= deadline) {
      throw new OperationPending(id, last);
    }
    await sleep(Math.max(nextAt - Date.now(), 0), signal);
  }
}

interface Seen {
  seen?: Operation;
  retryAfter: number | undefined;
}

/** One request about the operation. */
async function look(
  id: string,
  request: () => Promise<{ data: Operation; response: Response }>,
): Promise<Seen> {
  try {
    const { data, response } = await request();
    return { seen: data, retryAfter: secondsOf(response) };
  } catch (error) {
    if (mayPass(error)) {
      return { retryAfter: error instanceof ProblemError ? error.retryAfter : undefined };
    }
    if (error instanceof ProblemError && error.tenantId !== undefined && error.claims !== undefined) {
      throw new ClaimsRequired(id, error.tenantId, error.claims);
    }
    throw error;
  }
}

/** Lets the service answer when the operation has changed, but not after the deadline. */
function preferring(deadline: number): { Prefer?: string } {
  const wait = Math.min(READ_WAIT, Math.floor((deadline - Date.now()) / 1000));
  return wait > 0 ? { Prefer: `wait=${wait}` } : {};
}

/** Whether the operation waits for tokens. Ends the waiting if it waits for a sign-in with more proof. */
function needsTokens({ id, awaiting = [] }: Operation): boolean {
  for (const { tenantId, claims } of awaiting) {
    if (claims !== undefined) {
      throw new ClaimsRequired(id, tenantId, claims);
    }
  }
  return awaiting.some(({ reason }) => reason === 'tokenMissing');
}

function idOf(response: Response): string {
  const location = response.headers.get('Operation-Location');
  const id = location && new URL(location, 'http://service').pathname.split('/').pop();
  if (!id) {
    throw new TypeError('the answer names no operation');
  }
  return id;
}
