// The main jobs through the client, against `cargo sandbox --json`: node scenario.js FILE, where FILE holds its line.
// First a portal's back end, then what the client does by itself.

import assert from 'node:assert/strict';

import {
  OperationPending,
  ProblemError,
  UnexpectedAnswer,
  allConnections,
  allEvents,
  connect,
  createConnection,
  getConnection,
  listConnections,
  readFeed,
  removeConnection,
  waitForOperation,
} from 'tenant-bridge-client';
import type { CreateConnection, FeedEvent } from 'tenant-bridge-client';

import { Portal } from './portal.js';
import { change, failNextWrite, sandbox, tenantOf, tokenOf } from './sandbox.js';
import { end, step } from './steps.js';

const DOMAIN1 = tenantOf('domain1.com');
const DOMAIN2 = tenantOf('domain2.com');
const actor = await tokenOf('acc1@domain1.com', { clientCapabilities: ['cp1'] });
const other = await tokenOf('acc2@domain2.com', { clientCapabilities: ['cp1'] });
const better = await tokenOf('acc1@domain1.com', { clientCapabilities: ['cp1'], contexts: ['p1'] });

/** What the token functions return, as a portal's session would. */
const session = { actor, other };
const accounts = {
  baseUrl: sandbox.service,
  token: () => session.actor,
  auxiliary: { [DOMAIN2]: async () => session.other },
};
const client = connect(accounts);
const alone = connect({ baseUrl: sandbox.service, token: () => actor });

const database = sandbox.resources.clusters[0]?.databases[0]?.id ?? '';
const hub = sandbox.resources.namespaces[0]?.eventHubs[0];

function request(name: string, consumerGroup: string): CreateConnection {
  return {
    name,
    target: { database, table: 'Events', mapping: 'EventsMapping', dataFormat: 'JSON' },
    source: { eventHub: { resourceId: hub?.id ?? '', consumerGroup } },
    justification: 'The scenario of the TypeScript client',
  };
}

/** The problem that a call was rejected with. */
async function problemOf(call: Promise<unknown>): Promise<ProblemError> {
  const error: unknown = await call.then(
    () => assert.fail('was not rejected'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ProblemError, String(error));
  return error;
}

/** A `fetch` with trouble before the first answers; without an answer where `undefined`. It counts what it lets through. */
function troubled(troubles: (Response | undefined)[], sent: Request[] = []): typeof fetch {
  return async (input, init) => {
    const asked = new Request(input, init);
    sent.push(asked.clone());
    if (troubles.length === 0) {
      return fetch(asked);
    }
    const trouble = troubles.shift();
    if (trouble === undefined) {
      throw new TypeError('fetch failed');
    }
    return trouble;
  };
}

const badGateway = () => new Response('<html>', { status: 502 });
const made: string[] = [];
const portal = new Portal(client, 20);

await step('a portal connects, and a second click finds the same', async () => {
  const shown = await portal.connect(request('typescript-1', '$Default'));
  assert.ok(shown.view === 'connected', JSON.stringify(shown));
  made.push(shown.connectionId);
  assert.deepEqual(await portal.connect(request('typescript-1', '$Default')), shown);
});

await step('a portal tells whom to ask when an account is missing', async () => {
  const shown = await new Portal(alone, 20).connect(request('typescript-2', 'cg1'));
  assert.ok(shown.view === 'askForAccess', JSON.stringify(shown));
  assert.deepEqual(shown.steps.map(({ tenant }) => tenant), [DOMAIN2]);
});

await step('a portal marks the fields that are wrong', async () => {
  const shown = await portal.connect(request('a/b', 'cg1'));
  assert.ok(shown.view === 'fixForm', JSON.stringify(shown));
  assert.deepEqual(Object.keys(shown.fields), ['/name']);
});

await step('a portal tells why Azure failed a change', async () => {
  const [shown] = await Promise.all([
    portal.connect(request('typescript-2', 'cg1')),
    failNextWrite('No space for another data connection.'),
  ]);
  assert.ok(shown.view === 'failed', JSON.stringify(shown));
  assert.ok(shown.why && shown.support, JSON.stringify(shown));
});

await step('a portal lets the user sign in with more proof while a change waits, and follows it', async () => {
  await change({ setWritesNeed: { tenant: DOMAIN1, context: 'p1' } });
  const patient = new Portal(client, 5);
  const shown = await patient.connect(request('typescript-2', 'cg1'));
  await change({ setWritesNeed: { tenant: DOMAIN1 } });
  assert.ok(shown.view === 'signIn', JSON.stringify(shown));
  assert.equal(shown.tenantId, DOMAIN1);
  assert.deepEqual(JSON.parse(shown.claims).access_token.acrs.values, ['p1']);
  assert.ok(shown.operationId);
  // As long as nobody signs in, waiting again ends at once.
  assert.deepEqual(await patient.follow(shown.operationId), shown);
  session.actor = better;
  const followed = await patient.follow(shown.operationId, true);
  session.actor = actor;
  assert.ok(followed.view === 'connected', JSON.stringify(followed));
  made.push(followed.connectionId);
});

await step('a portal shows a table, page by page', async () => {
  const rows = await portal.table({ limit: 1, database });
  const own = rows.filter(({ id }) => made.includes(id));
  assert.deepEqual(own.map(({ id }) => id), [...made].reverse());
  assert.deepEqual(own.map(({ state }) => state), ['active', 'active']);
});

await step('creates, does not wait, and follows the operation', async () => {
  const { data, response } = await createConnection({
    client,
    body: request('typescript-3', 'cg2'),
    headers: { Prefer: 'respond-async' },
    throwOnError: true,
  });
  assert.equal(response.status, 202);
  const operation = await waitForOperation(client, response, { timeout: 60_000 });
  assert.equal(operation.connectionId, data.id);
  const { data: now } = await getConnection({ client, path: { id: data.id }, throwOnError: true });
  assert.equal(now.state, 'active');
  made.push(data.id);
});

await step('waits past refused connections and a proxy that answers 502, and no longer than it is told', async () => {
  const { data } = await getConnection({ client, path: { id: made[0] ?? '' }, throwOnError: true });
  const id = data.lastOperation?.id ?? '';
  const bad = connect({ ...accounts, retries: 0, fetch: troubled([undefined, badGateway()]) });
  assert.equal((await waitForOperation(bad, id, { timeout: 20_000 })).status, 'succeeded');
  const unknown = await problemOf(waitForOperation(client, crypto.randomUUID()));
  assert.equal(unknown.code, 'notFound');
  const busy = async () => Response.json({ status: 'running' }, { headers: { 'Retry-After': '1' } });
  const slow = connect({ ...accounts, fetch: busy });
  await assert.rejects(waitForOperation(slow, id, { timeout: 500 }), OperationPending);
});

await step('provides its tokens to an operation that waits for them', async () => {
  const { data } = await getConnection({ client, path: { id: made[0] ?? '' }, throwOnError: true });
  const operation = data.lastOperation;
  const { finishedAt, ...unfinished } = operation ?? {};
  assert.ok(finishedAt);
  const awaiting = [DOMAIN1, DOMAIN2].map((tenantId) => ({ tenantId, reason: 'tokenMissing' }));
  const waits = { ...unfinished, status: 'awaitingCaller', awaiting };
  const answers = [waits, { ...unfinished, status: 'running' }, operation];
  const sent: Request[] = [];
  const answer: typeof fetch = async (input, init) => {
    sent.push(new Request(input, init));
    return Response.json(answers[sent.length - 1], { headers: { 'Retry-After': '0' } });
  };
  const ended = await waitForOperation(connect({ ...accounts, fetch: answer }), operation?.id ?? '');
  assert.equal(ended.status, 'succeeded');
  assert.deepEqual(sent.map(({ method }) => method), ['GET', 'POST', 'GET']);
  assert.ok(sent[1]?.url.endsWith(`/v1/operations/${operation?.id}/continue`));
  const given = sent.map(({ headers }) => headers.get('x-ms-authorization-auxiliary'));
  assert.deepEqual(given, [null, `Bearer ${other}`, null]);
});

await step('retries a change with the same key and a fresh token, so that it happens once', async () => {
  const sent: Request[] = [];
  let asked = 0;
  const troubles = [
    undefined,
    badGateway(),
    Response.json(
      { code: 'overloaded', detail: 'later', retryable: true },
      { status: 503, headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '0' } },
    ),
  ];
  const token = () => ((asked += 1), actor);
  const unlucky = connect({ ...accounts, token, fetch: troubled(troubles, sent) });
  const { data } = await createConnection({
    client: unlucky,
    body: request('typescript-1', '$Default'),
    throwOnError: true,
  });
  assert.equal(data.id, made[0]);
  const keys = sent.map(({ headers }) => headers.get('Idempotency-Key'));
  assert.equal(keys.length, 4);
  assert.ok(keys[0]);
  assert.equal(new Set(keys).size, 1);
  assert.equal(asked, 4);
  assert.ok(sent.every(({ headers }) => headers.get('x-ms-authorization-auxiliary') === `Bearer ${other}`));
});

await step('does not retry what will not succeed later', async () => {
  const sent: Request[] = [];
  const final = connect({ ...accounts, fetch: troubled([], sent) });
  const missing = await problemOf(
    getConnection({ client: final, path: { id: crypto.randomUUID() }, throwOnError: true }),
  );
  assert.deepEqual([missing.code, missing.status, sent.length], ['notFound', 404, 1]);
  const far = new Response('', { status: 429, headers: { 'Retry-After': '3600' } });
  const throttled = connect({ ...accounts, fetch: troubled([far], sent) });
  const thrown = listConnections({ client: throttled, throwOnError: true });
  await assert.rejects(thrown, UnexpectedAnswer);
  assert.equal(sent.length, 2);
});

await step('lists in pages of one, newest first', async () => {
  const { data: page } = await listConnections({ client, query: { limit: 1 }, throwOnError: true });
  assert.equal(page.value.length, 1);
  assert.ok(page.nextLink);
  const all: string[] = [];
  for await (const connection of allConnections(client, { limit: 1 })) {
    all.push(connection.id);
  }
  assert.deepEqual(all.filter((id) => made.includes(id)), [...made].reverse());
});

await step('reads the ledger in pages', async () => {
  const kinds: string[] = [];
  for await (const event of allEvents(client, made[2] ?? '', { limit: 1 })) {
    kinds.push(event.kind);
  }
  assert.deepEqual(kinds, ['create.intended', 'create.accepted', 'create.succeeded']);
});

await step('follows the feed past trouble, and goes on after a cursor', async () => {
  const connection = made[2] ?? '';
  const bad = connect({ ...accounts, retries: 0, fetch: troubled([badGateway(), undefined]) });
  const seen: FeedEvent[] = [];
  for await (const item of readFeed(bad, { connection, signal: AbortSignal.timeout(30_000) })) {
    seen.push(item);
    if (item.event.kind === 'create.succeeded') {
      break;
    }
  }
  const kinds = seen.map(({ event }) => event.kind);
  assert.deepEqual(kinds, ['create.intended', 'create.accepted', 'create.succeeded']);
  const rest: FeedEvent[] = [];
  for await (const item of readFeed(client, { connection, after: seen[0]?.cursor ?? '', untilNewest: true })) {
    rest.push(item);
  }
  assert.deepEqual(rest, seen.slice(1));
});

await step('meets a conflict as a typed problem, also without throwing', async () => {
  const body = { ...request('typescript-1', '$Default'), target: { database } };
  const { code, status, problem } = await problemOf(createConnection({ client, body, throwOnError: true }));
  assert.deepEqual([code, status, problem.retryable], ['connectionExists', 409, false]);
  assert.ok(problem.requestId);
  const { error } = await createConnection({ client, body });
  assert.equal(error?.code, 'connectionExists');
});

await step('tells an answer of something else from a problem', async () => {
  const proxied = connect({ ...accounts, retries: 0, fetch: troubled([badGateway()]) });
  await assert.rejects(listConnections({ client: proxied, throwOnError: true }), UnexpectedAnswer);
});

await step('removes, and keeps the record', async () => {
  for (const id of made.slice(1)) {
    const { response } = await removeConnection({
      client: alone,
      path: { id },
      headers: { Prefer: 'respond-async' },
      throwOnError: true,
    });
    await waitForOperation(alone, response, { timeout: 60_000 });
    const { data } = await getConnection({ client, path: { id }, throwOnError: true });
    assert.equal(data.state, 'removed');
  }
});

await step('a portal removes', async () => {
  assert.deepEqual(await portal.remove(made[0] ?? ''), { view: 'removed', connectionId: made[0] });
});

end();
