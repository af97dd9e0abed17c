// The back end of a small portal: what it does with Tenant Bridge when its pages are used, and what it tells them.

import {
  CallerRequired,
  ClaimsRequired,
  OperationFailed,
  OperationPending,
  ProblemError,
  allConnections,
  createConnection,
  removeConnection,
  waitForOperation,
} from 'tenant-bridge-client';
import type { Client, ConnectionsQuery, CreateConnection } from 'tenant-bridge-client';

/** What a page shows next. */
export type View =
  | { view: 'connected' | 'removed'; connectionId: string }
  | { view: 'working'; operationId: string }
  | { view: 'signIn'; operationId: string | undefined; tenantId: string; claims: string }
  | { view: 'addAccounts'; operationId: string; tenantIds: string[] }
  | { view: 'askForAccess'; steps: { tenant: string; text: string; link: string | undefined }[] }
  | { view: 'fixForm'; fields: Record<string, string> }
  | { view: 'failed'; why: string; support: string | undefined };

/** One signed-in person's use of the portal. */
export class Portal {
  constructor(
    private readonly client: Client,
    /** How long a page waits, in seconds. */
    private readonly seconds: number,
  ) {}

  /** The button "Connect". */
  connect(form: CreateConnection): Promise<View> {
    return told(async () => {
      const { data, response } = await createConnection({
        client: this.client,
        body: form,
        headers: { Prefer: `wait=${this.seconds}` },
        throwOnError: true,
      });
      if (response.status === 202) {
        await waitForOperation(this.client, response, { timeout: this.seconds * 1000 });
      }
      return { view: 'connected', connectionId: data.id };
    });
  }

  /** The page that is shown while a change takes longer, and after a sign-in that the change waited for. */
  follow(operationId: string, hasSignedIn = false): Promise<View> {
    return told(async () => {
      const options = { timeout: this.seconds * 1000, resume: hasSignedIn };
      const { kind, connectionId } = await waitForOperation(this.client, operationId, options);
      return { view: kind === 'remove' ? 'removed' : 'connected', connectionId };
    });
  }

  /** The table of connections. */
  async table(query: ConnectionsQuery): Promise<{ id: string; name: string; state: string }[]> {
    const rows = [];
    for await (const { id, name, state } of allConnections(this.client, query)) {
      rows.push({ id, name, state });
    }
    return rows;
  }

  /** The button "Remove". */
  remove(connectionId: string): Promise<View> {
    return told(async () => {
      const { response } = await removeConnection({
        client: this.client,
        path: { id: connectionId },
        headers: { Prefer: `wait=${this.seconds}` },
        throwOnError: true,
      });
      if (response.status === 202) {
        await waitForOperation(this.client, response, { timeout: this.seconds * 1000 });
      }
      return { view: 'removed', connectionId };
    });
  }
}

/** What is told when it does not work. */
async function told(work: () => Promise<View>): Promise<View> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ClaimsRequired) {
      const { operationId, tenantId, claims } = error;
      return { view: 'signIn', operationId, tenantId, claims };
    }
    if (error instanceof CallerRequired) {
      const tenantIds = error.awaiting.map(({ tenantId }) => tenantId);
      return { view: 'addAccounts', operationId: error.operationId, tenantIds };
    }
    if (error instanceof OperationPending) {
      return { view: 'working', operationId: error.operationId };
    }
    if (error instanceof OperationFailed) {
      return { view: 'failed', why: error.message, support: error.operation.id };
    }
    if (error instanceof ProblemError) {
      return ofProblem(error);
    }
    throw error;
  }
}

function ofProblem(error: ProblemError): View {
  if (error.is('accessMissing')) {
    const steps = error.problem.missing.map(({ tenant, fix, url }) => ({ tenant, text: fix, link: url }));
    return { view: 'askForAccess', steps };
  }
  if (error.is('invalidRequest')) {
    const fields = error.problem.errors.map(({ pointer, detail }) => [pointer, detail]);
    return { view: 'fixForm', fields: Object.fromEntries(fields) };
  }
  if (error.is('createFailed') || error.is('removeFailed')) {
    return { view: 'failed', why: error.problem.detail, support: error.problem.operationId };
  }
  if (error.tenantId !== undefined && error.claims !== undefined) {
    return { view: 'signIn', operationId: undefined, tenantId: error.tenantId, claims: error.claims };
  }
  return { view: 'failed', why: error.problem.detail, support: error.problem.requestId };
}
