// What the client does about trouble on the way, without a service: node trouble.js

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  CallerRequired,
  NoAnswer,
  OperationPending,
  UnexpectedAnswer,
  connect,
  listConnections,
  listEvents,
  readFeed,
  waitForOperation,
} from 'tenant-bridge-client';
import type { ConnectOptions } from 'tenant-bridge-client';

import { end, step } from './steps.js';

const HOME = crypto.randomUUID();
const OTHER = crypto.randomUUID();
const id = crypto.randomUUID();
const operation = { id, connectionId: id, kind: 'create', createdAt: '2025-03-03T09:15:00Z', requestHash: '00' };
const succeeded = { ...operation, status: 'succeeded', finishedAt: '2025-03-03T09:15:09Z' };
const at = { headers: { 'Retry-After': '0' } };
const problem = { status: 403, headers: { 'Content-Type': 'application/problem+json' } };

/** A token as Microsoft Entra issues it, as far as the client looks at it. */
const token = `e30.${btoa(JSON.stringify({ tid: HOME, name: '???>>>' })).replace(/\+/g, '-').replace(/\//g, '_')}.`;

function client(fetch: typeof globalThis.fetch, more: Partial<ConnectOptions> = {}) {
  return connect({ baseUrl: 'http://tenant-bridge.example', token: () => token, retries: 0, fetch, ...more });
}

/** A `fetch` with these answers, the last one again and again; it keeps what was sent. */
function answering(answers: (() => Response)[], sent: Request[] = []): typeof fetch {
  return async (input, init) => {
    sent.push(new Request(input, init));
    const answer = answers[Math.min(sent.length, answers.length) - 1];
    assert.ok(answer);
    return answer();
  };
}

/** What a call was rejected with. */
function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => assert.fail('was not rejected'),
    (error: unknown) => error,
  );
}

/** The pauses of what runs, in milliseconds, which pass at once. */
async function pausesOf(run: () => Promise<unknown>): Promise<number[]> {
  const pauses: number[] = [];
  const real = globalThis.setTimeout;
  globalThis.setTimeout = ((work: () => void, milliseconds: number) => {
    pauses.push(milliseconds);
    return real(work, 0);
  }) as typeof setTimeout;
  try {
    await run();
  } finally {
    globalThis.setTimeout = real;
  }
  return pauses;
}

async function served(listener: RequestListener, use: (baseUrl: string) => Promise<void>): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function waitedFor(awaiting: object[], after: (() => Response)[], auxiliary = {}): Promise<[unknown, string[]]> {
  const sent: Request[] = [];
  const waits = () => Response.json({ ...operation, status: 'awaitingCaller', awaiting }, at);
  const waiting = waitForOperation(client(answering([waits, ...after], sent), { auxiliary }), id);
  const outcome = await waiting.catch((error: unknown) => error);
  return [outcome, sent.map(({ method }) => method)];
}

await step('reads the feed to its newest event, also while the cursor moves because of others', async () => {
  const event = (cursor: string) => ({ position: 1, cursor, event: { id: cursor } });
  let page = 0;
  const feed = async () => {
    page += 1;
    const value = page === 2 ? [event('e')] : [];
    return Response.json({ value, cursor: `c${page}`, isAtHead: page >= 3, nextLink: '/v1/events' });
  };
  const seen = [];
  for await (const { cursor } of readFeed(client(feed), { untilNewest: true })) {
    seen.push(cursor);
  }
  assert.deepEqual([seen, page], [['e'], 3]);
});

await step('takes nothing without events for a page of the feed', async () => {
  const odd = client(answering([() => Response.json({ status: 'up' })]));
  assert.ok((await thrownBy(readFeed(odd).next())) instanceof UnexpectedAnswer);
});

await step('does not wait out an error of its own side', async () => {
  const sent: Request[] = [];
  const broken = client(answering([() => Response.json(succeeded)], sent), {
    token: () => {
      throw new TypeError('nobody is signed in');
    },
  });
  assert.match(String(await thrownBy(waitForOperation(broken, id))), /nobody is signed in/);
  assert.match(String(await thrownBy(readFeed(broken).next())), /nobody is signed in/);
  const nowhere = client(answering([() => Response.json(succeeded)], sent), { baseUrl: 'nowhere' });
  assert.ok((await thrownBy(waitForOperation(nowhere, id))) instanceof TypeError);
  assert.equal(sent.length, 0);
});

await step('follows no redirect, and does not wait for it to go', async () => {
  const paths: (string | undefined)[] = [];
  const redirect: RequestListener = (request, response) => {
    paths.push(request.url);
    response.writeHead(307, { Location: '/elsewhere' }).end();
  };
  await served(redirect, async (baseUrl) => {
    const thrown = await thrownBy(waitForOperation(client(fetch, { baseUrl }), id));
    assert.ok(thrown instanceof UnexpectedAnswer, String(thrown));
  });
  assert.deepEqual(paths, [`/v1/operations/${id}`]);
});

await step('takes an answer that breaks off for none', async () => {
  let asked = 0;
  const breaking: RequestListener = (_, response) => {
    asked += 1;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
    response.write('{"value": [', () => response.destroy());
  };
  await served(breaking, async (baseUrl) => {
    const thrown = await thrownBy(listConnections({ client: client(fetch, { baseUrl, retries: 1 }), throwOnError: true }));
    assert.ok(thrown instanceof NoAnswer && thrown.cause instanceof Error, String(thrown));
  });
  assert.equal(asked, 2);
});

await step('tells why it waited in vain, after one request at a time', async () => {
  let asked = 0;
  const refused = async () => {
    asked += 1;
    throw new TypeError('fetch failed');
  };
  const thrown = await thrownBy(waitForOperation(client(refused, { retries: 3 }), id, { timeout: 1000 }));
  assert.ok(thrown instanceof OperationPending && thrown.cause instanceof NoAnswer, String(thrown));
  assert.equal(asked, 1);
});

await step('does not wait longer for an answer, or for a token, than it is told', async () => {
  const silent: typeof fetch = (input, init) => {
    const { signal } = new Request(input, init);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const never = () => new Promise<string>(() => undefined);
  for (const hanging of [client(silent), client(silent, { token: never })]) {
    const pauses = await pausesOf(async () => {
      const thrown = await thrownBy(waitForOperation(hanging, id, { timeout: 1000 }));
      assert.ok(thrown instanceof OperationPending && thrown.cause instanceof NoAnswer, String(thrown));
    });
    assert.ok(pauses.length === 1 && pauses[0] && pauses[0] > 5000 && pauses[0] <= 6000, String(pauses));
  }
});

await step('ends a wait with the reason of the signal', async () => {
  const stopping = new AbortController();
  const silent: typeof fetch = () => {
    stopping.abort(new Error('the page was closed'));
    return new Promise(() => undefined);
  };
  const thrown = await thrownBy(waitForOperation(client(silent), id, { signal: stopping.signal }));
  assert.match(String(thrown), /the page was closed/);
});

await step('comes back when it is told to, also by something on the way', async () => {
  const later = (status: number, text: string) => () => new Response('', { status, headers: { 'Retry-After': text } });
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  for (const status of [408, 429, 503]) {
    const answers = [later(status, '70'), () => Response.json(succeeded)];
    const waits = await pausesOf(() => waitForOperation(client(answering(answers)), id));
    assert.ok(waits.some((pause) => pause > 69_000 && pause <= 70_000), String(waits));
    const thrown = await thrownBy(waitForOperation(client(answering([later(status, date)])), id));
    assert.ok(thrown instanceof OperationPending && thrown.cause instanceof UnexpectedAnswer, String(thrown));
    assert.ok((thrown.cause.retryAfter ?? 0) > 3500);
    const page = { value: [{ position: 1, cursor: 'c', event: {} }], cursor: 'c', isAtHead: true, nextLink: '' };
    const feed = readFeed(client(answering([later(status, '70'), () => Response.json(page)])));
    const feedWaits = await pausesOf(() => feed.next());
    assert.deepEqual(feedWaits, [70_000]);
  }
  const odd = await thrownBy(listEvents({ client: client(later(429, '-5') as never), throwOnError: true }));
  assert.ok(odd instanceof UnexpectedAnswer && odd.retryAfter === undefined);
});

await step('continues an operation with the tokens of its accounts only', async () => {
  const of = (tenantId: string) => ({ tenantId, reason: 'tokenMissing' });
  const running = () => Response.json({ ...operation, status: 'running' }, at);
  const then = [running, () => Response.json(succeeded)];
  const held = { [OTHER.toUpperCase()]: () => 'other' };
  const [ended, methods] = await waitedFor([of(HOME), of(OTHER)], then, held);
  assert.deepEqual([ended, methods], [succeeded, ['GET', 'POST', 'GET']]);
  for (const awaiting of [[of(HOME), of(OTHER)], [{ tenantId: HOME, reason: 'notJoined' }]]) {
    const [thrown, sent] = await waitedFor(awaiting, then);
    assert.ok(thrown instanceof CallerRequired, String(thrown));
    assert.deepEqual([thrown.operationId, thrown.awaiting, sent], [id, awaiting, ['GET']]);
  }
});

await step('follows an operation that it may not continue', async () => {
  const awaiting = [{ tenantId: HOME, reason: 'tokenMissing' }];
  const waits = () => Response.json({ ...operation, status: 'awaitingCaller', awaiting }, at);
  for (const code of ['requestHashMissing', 'insufficientScope']) {
    const refusal = () => Response.json({ code, title: '', detail: '', retryable: false }, problem);
    const [ended, methods] = await waitedFor(awaiting, [refusal, waits, waits, () => Response.json(succeeded)]);
    assert.deepEqual([ended, methods], [succeeded, ['GET', 'POST', 'GET', 'GET', 'GET']]);
  }
});

end();
