// Waiting for a change that takes a while.

import { accountsOf } from './accounts.js';
import type { Accounts } from './accounts.js';
import type { Client } from './generated/client/index.js';
import { continueOperation, getOperation } from './generated/sdk.gen.js';
import type { AwaitedToken, Operation } from './generated/types.gen.js';
import { ProblemError, mayPass, retryAfterOf, secondsOf } from './problem.js';
import { sleep, within } from './retry.js';

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

/** The operation has not ended in the time given; wait again with its id. `cause` is what the last request failed with, if it did. */
export class OperationPending extends Error {
  override readonly name = 'OperationPending';

  constructor(
    readonly operationId: string,
    /** As it was last seen, if it was. */
    readonly operation: Operation | undefined,
    cause?: unknown,
  ) {
    super(`operation ${operationId} is still ${operation?.status ?? 'unknown'}`, cause === undefined ? {} : { cause });
  }
}

/**
 * The operation waits for something that this client can't provide: for the token of a tenant that it has no account of, or for
 * another person. Wait again when `awaiting` can be provided, with a client that has those accounts.
 */
export class CallerRequired extends Error {
  override readonly name = 'CallerRequired';

  constructor(
    readonly operationId: string,
    /** What it waits for; all of it is needed. */
    readonly awaiting: AwaitedToken[],
  ) {
    const awaited = awaiting.map(({ tenantId, reason }) => `${reason} of tenant ${tenantId}`).join(', ');
    super(`operation ${operationId} waits for its caller: ${awaited}`);
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
/** How much longer than the waiting a request may take, in milliseconds: the service may answer at the end of it. */
const ANSWER_TIME = 5000;
/** Why a person who sees an operation may not continue it. */
const REFUSED_TO_FOLLOWERS = ['requestHashMissing', 'insufficientScope'];

/**
 * Waits until an operation has ended, reading it as often as `Retry-After` says. The operation is named by its id, or by a response with
 * `Operation-Location`, of which only the id is used: a token never goes to another host.
 *
 * An operation that waits for tokens of the client's accounts is continued with them; if the caller may not continue it, it is only
 * followed. That the service cannot be reached, or that something between here and the service answers, says nothing of the operation:
 * the waiting goes on. An operation that ended in a way that this client does not know is returned like one that succeeded.
 *
 * Throws `OperationFailed`, `OperationPending`, `ClaimsRequired`, `CallerRequired`, or `ProblemError` if the service rejects a request.
 */
export async function waitForOperation(
  client: Client,
  operation: string | Response,
  { timeout = 120_000, resume = false, requestHash, signal }: WaitOptions = {},
): Promise<Operation> {
  const deadline = Date.now() + timeout;
  const id = typeof operation === 'string' ? operation : idOf(operation);
  const accounts = accountsOf.get(client);
  const once = { client, path: { id }, throwOnError: true, ...(accounts && { fetch: accounts.fetchOnce }) } as const;
  const limited = <T>(call: (signal: AbortSignal) => Promise<T>) =>
    within(Math.max(deadline - Date.now(), 0) + ANSWER_TIME, signal, call);
  // The first look does not wait: the operation may have ended, or wait for its caller.
  let isFirst = true;
  const read = () => {
    const headers = isFirst ? {} : preferring(deadline);
    isFirst = false;
    return limited((signal) => getOperation({ ...once, headers, signal }));
  };
  const body = requestHash === undefined ? {} : { requestHash };
  const provideTokens = () => limited((signal) => continueOperation({ ...once, body, signal }));
  // The operation of another person can be followed by one who may not continue it.
  let mayContinue = true;
  const tryToContinue = () =>
    provideTokens().catch((error: unknown) => {
      if (error instanceof ProblemError && REFUSED_TO_FOLLOWERS.includes(error.code)) {
        mayContinue = false;
        return read();
      }
      throw error;
    });
  let last: Operation | undefined;
  let next = resume ? provideTokens : read;
  for (;;) {
    const began = Date.now();
    const { seen, retryAfter, trouble } = await look(id, next);
    last = seen ?? last;
    if (seen?.status === 'failed') {
      throw new OperationFailed(seen);
    }
    // Also if it ended in a way that this client does not know.
    if (seen?.status === 'succeeded' || seen?.finishedAt !== undefined) {
      return seen;
    }
    const isFresh = next === read;
    if (seen !== undefined) {
      next = read;
    }
    if (isFresh && mayContinue && seen?.status === 'awaitingCaller' && canContinue(seen, accounts)) {
      next = tryToContinue;
      continue;
    }
    const nextAt =
      seen === undefined
        ? Date.now() + Math.max(USUAL_PAUSE, retryAfter ?? 0) * 1000
        : began + (retryAfter ?? USUAL_PAUSE) * 1000;
    if (Math.max(nextAt, Date.now()) >= deadline) {
      throw new OperationPending(id, last, trouble);
    }
    await sleep(Math.max(nextAt - Date.now(), 0), signal);
  }
}

interface Seen {
  seen?: Operation;
  retryAfter: number | undefined;
  /** What kept the request from an answer of the service. */
  trouble?: unknown;
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
      return { retryAfter: retryAfterOf(error), trouble: error };
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

/** Whether the operation waits for tokens that the client may have. Ends the waiting if only its caller can do something. */
function canContinue({ id, awaiting = [] }: Operation, accounts: Accounts | undefined): boolean {
  for (const { tenantId, claims } of awaiting) {
    if (claims !== undefined) {
      throw new ClaimsRequired(id, tenantId, claims);
    }
  }
  const mayHave = ({ tenantId, reason }: AwaitedToken) =>
    reason === 'tokenMissing' && (accounts?.mayHave(tenantId) ?? true);
  if (!awaiting.every(mayHave)) {
    throw new CallerRequired(id, awaiting);
  }
  return awaiting.length > 0;
}

function idOf(response: Response): string {
  const location = response.headers.get('Operation-Location');
  const id = location && new URL(location, 'http://service').pathname.split('/').pop();
  if (!id) {
    throw new TypeError('the answer names no operation');
  }
  return id;
}
