"""The main jobs through the client, against `cargo sandbox --json`: scenario.py FILE, where FILE holds its line.

First a portal's back end, in async code; then what the client does by itself, in threads.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID, uuid4

import httpx
from portal import AskForAccess, Done, Failed, FixForm, Portal, SignIn
from sandbox import DATABASE, HUB, SERVICE, change, fail_next_write, tenant_of, token_of
from steps import Steps

from tenant_bridge_client import (
    BridgeClient,
    OperationPending,
    ProblemError,
    TokenFunction,
    UnexpectedAnswer,
    all_items,
    connect,
    read_feed,
    read_feed_async,
    unwrap,
    wait_for_operation,
)
from tenant_bridge_client.api import (
    create_connection,
    get_connection,
    list_connection_events,
    list_connections,
    remove_connection,
)
from tenant_bridge_client.models import CreateConnection, CreateEventHub, CreateSource, CreateTarget

DOMAIN1, DOMAIN2 = tenant_of("domain1.com"), tenant_of("domain2.com")
ACTOR, OTHER = token_of("acc1@domain1.com"), token_of("acc2@domain2.com")
BETTER = token_of("acc1@domain1.com", "p1")
SESSION = {"actor": ACTOR, "other": OTHER}
"""What the token functions return, as a portal's session would."""
MADE: list[UUID] = []


def client(transport: httpx.MockTransport | None = None, retries: int = 3) -> BridgeClient:
    """A client with both accounts; a transport may answer instead of the service."""
    return connect(
        SERVICE,
        lambda: SESSION["actor"],
        {DOMAIN2: lambda: SESSION["other"]},
        retries=retries,
        httpx_args={"transport": transport} if transport else None,
    )


async def other_later() -> str:
    await asyncio.sleep(0)
    return SESSION["other"]


ASYNC_ACCOUNTS: dict[UUID, TokenFunction] = {DOMAIN2: other_later}
CLIENT = client()


def request(name: str, consumer_group: str) -> CreateConnection:
    return CreateConnection(
        name=name,
        target=CreateTarget(database=DATABASE, table="Events", mapping="EventsMapping", data_format="JSON"),
        source=CreateSource(event_hub=CreateEventHub(resource_id=HUB, consumer_group=consumer_group)),
        justification="The scenario of the Python client",
    )


def problem_of(call: Callable[[], object]) -> ProblemError:
    """The problem that a call was rejected with."""
    try:
        call()
    except ProblemError as error:
        return error
    raise AssertionError("was not rejected")


class Troubled:
    """Trouble before the first answers: no answer where `None`. It keeps what is sent, and passes the rest on."""

    def __init__(self, *troubles: httpx.Response | None) -> None:
        self.sent: list[httpx.Request] = []
        self._troubles = list(troubles)
        self._real = httpx.HTTPTransport()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(httpx.Request(request.method, request.url, headers=request.headers))
        if not self._troubles:
            answer = self._real.handle_request(request)
            answer.read()
            return answer
        trouble = self._troubles.pop(0)
        if trouble is None:
            raise httpx.ConnectError("refused", request=request)
        return trouble


def bad_gateway() -> httpx.Response:
    return httpx.Response(502, html="<html>")


async def a_portal_connects_and_a_second_click_finds_the_same() -> None:
    async with connect(SERVICE, lambda: SESSION["actor"], ASYNC_ACCOUNTS) as both:
        portal = Portal(both, 20)
        shown = await portal.connect(request("python-1", "$Default"))
        assert isinstance(shown, Done), shown
        MADE.append(shown.connection_id)
        assert await portal.connect(request("python-1", "$Default")) == shown


async def a_portal_tells_whom_to_ask_when_an_account_is_missing() -> None:
    async with connect(SERVICE, lambda: SESSION["actor"]) as alone:
        shown = await Portal(alone, 20).connect(request("python-2", "cg1"))
        assert isinstance(shown, AskForAccess), shown
        assert [tenant for tenant, _ in shown.steps] == [DOMAIN2]


async def a_portal_marks_the_fields_that_are_wrong() -> None:
    async with connect(SERVICE, lambda: SESSION["actor"], ASYNC_ACCOUNTS) as both:
        shown = await Portal(both, 20).connect(request("a/b", "cg1"))
        assert isinstance(shown, FixForm) and list(shown.fields) == ["/name"], shown


async def a_portal_tells_why_azure_failed_a_change() -> None:
    async with connect(SERVICE, lambda: SESSION["actor"], ASYNC_ACCOUNTS) as both:
        shown, _ = await asyncio.gather(
            Portal(both, 20).connect(request("python-2", "cg1")),
            fail_next_write("No space for another data connection."),
        )
        assert isinstance(shown, Failed) and shown.why and shown.support, shown


async def a_portal_lets_the_user_sign_in_with_more_proof_while_a_change_waits_and_follows_it() -> None:
    async with connect(SERVICE, lambda: SESSION["actor"], ASYNC_ACCOUNTS) as both:
        portal = Portal(both, 5)
        change({"setWritesNeed": {"tenant": str(DOMAIN1), "context": "p1"}})
        shown = await portal.connect(request("python-2", "cg1"))
        change({"setWritesNeed": {"tenant": str(DOMAIN1)}})
        assert isinstance(shown, SignIn) and shown.tenant_id == DOMAIN1, shown
        assert json.loads(shown.claims)["access_token"]["acrs"]["values"] == ["p1"]
        assert shown.operation_id
        # As long as nobody signs in, waiting again ends at once.
        assert await portal.follow(shown.operation_id) == shown
        SESSION["actor"] = BETTER
        followed = await portal.follow(shown.operation_id, has_signed_in=True)
        SESSION["actor"] = ACTOR
        assert isinstance(followed, Done), followed
        MADE.append(followed.connection_id)


async def a_portal_shows_a_table_page_by_page() -> None:
    async with connect(SERVICE, lambda: SESSION["actor"], ASYNC_ACCOUNTS) as both:
        rows = [row for row in await Portal(both, 20).table() if row[0] in MADE]
        assert rows == [(one, "active") for one in MADE[::-1]], rows


async def a_portal_removes() -> None:
    async with connect(SERVICE, lambda: SESSION["actor"], ASYNC_ACCOUNTS) as both:
        assert await Portal(both, 20).remove(MADE[0]) == Done(MADE[0], removed=True)


def creates_does_not_wait_and_follows_the_operation() -> None:
    group = f"python-{uuid4()}"
    change({"addConsumerGroup": {"hub": HUB, "group": group}})
    response = create_connection.sync_detailed(
        client=CLIENT, body=request("python-3", group), prefer="respond-async"
    )
    connection = unwrap(response)
    assert response.status_code == HTTPStatus.ACCEPTED, response
    operation = wait_for_operation(CLIENT, response, timeout=60)
    assert operation.connection_id == connection.id
    assert unwrap(get_connection.sync_detailed(connection.id, client=CLIENT)).state == "active"
    MADE.append(connection.id)


def waits_past_refused_connections_and_a_proxy_that_answers_502_and_no_longer_than_it_is_told() -> None:
    last = unwrap(get_connection.sync_detailed(MADE[0], client=CLIENT)).last_operation
    assert last
    bad = client(httpx.MockTransport(Troubled(None, bad_gateway())), retries=0)
    assert wait_for_operation(bad, last.id, timeout=20).status == "succeeded"
    assert problem_of(lambda: wait_for_operation(CLIENT, uuid4())).code == "notFound"
    running = {**last.to_dict(), "status": "running"}
    del running["finishedAt"]
    busy = httpx.MockTransport(lambda _: httpx.Response(200, json=running, headers={"Retry-After": "1"}))
    try:
        wait_for_operation(client(busy), last.id, timeout=0.5)
    except OperationPending as error:
        assert error.operation_id == last.id
        return
    raise AssertionError("waited on")


def provides_its_tokens_to_an_operation_that_waits_for_them() -> None:
    last = unwrap(get_connection.sync_detailed(MADE[0], client=CLIENT)).last_operation
    assert last
    ended = last.to_dict()
    unfinished = {name: member for name, member in ended.items() if name != "finishedAt"}
    awaiting = [{"tenantId": str(tenant), "reason": "tokenMissing"} for tenant in (DOMAIN1, DOMAIN2)]
    waits = {**unfinished, "status": "awaitingCaller", "awaiting": awaiting}
    answers = [waits, {**unfinished, "status": "running"}, ended]
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(httpx.Request(request.method, request.url, headers=request.headers))
        return httpx.Response(200, json=answers[len(sent) - 1], headers={"Retry-After": "0"})

    assert wait_for_operation(client(httpx.MockTransport(answer)), last.id).status == "succeeded"
    assert [one.method for one in sent] == ["GET", "POST", "GET"]
    assert sent[1].url.path == f"/v1/operations/{last.id}/continue"
    given = [one.headers.get("x-ms-authorization-auxiliary") for one in sent]
    assert given == [None, f"Bearer {OTHER}", None]


def retries_a_change_with_the_same_key_and_a_fresh_token_so_that_it_happens_once() -> None:
    overloaded = {"code": "overloaded", "title": "", "type": "", "status": 503, "detail": "later"}
    busy = httpx.Response(
        503,
        json={**overloaded, "retryable": True, "requestId": ""},
        headers={"Content-Type": "application/problem+json", "Retry-After": "0"},
    )
    trouble = Troubled(None, bad_gateway(), busy)
    tokens: list[str] = []

    def token() -> str:
        tokens.append(ACTOR)
        return ACTOR

    unlucky = connect(
        SERVICE,
        token,
        {DOMAIN2: lambda: OTHER},
        httpx_args={"transport": httpx.MockTransport(trouble)},
    )
    body = request("python-1", "$Default")
    assert unwrap(create_connection.sync_detailed(client=unlucky, body=body)).id == MADE[0]
    keys = [sent.headers["Idempotency-Key"] for sent in trouble.sent]
    assert len(keys) == 4 and len(set(keys)) == 1 and len(tokens) == 4, keys
    header = "x-ms-authorization-auxiliary"
    assert {sent.headers[header] for sent in trouble.sent} == {f"Bearer {OTHER}"}


def does_not_retry_what_will_not_succeed_later() -> None:
    trouble = Troubled()
    final = client(httpx.MockTransport(trouble))
    missing = problem_of(lambda: get_connection.sync_detailed(uuid4(), client=final))
    assert (missing.code, missing.status, len(trouble.sent)) == ("notFound", 404, 1)
    far = Troubled(httpx.Response(429, headers={"Retry-After": "3600"}))
    try:
        list_connections.sync_detailed(client=client(httpx.MockTransport(far)))
    except UnexpectedAnswer as error:
        assert (error.status, len(far.sent)) == (429, 1)
    else:
        raise AssertionError("was taken for an answer")


def lists_in_pages_of_one_newest_first() -> None:
    page = unwrap(list_connections.sync_detailed(client=CLIENT, limit=1))
    assert len(page.value) == 1 and page.next_link
    everything = [one.id for one in all_items(list_connections.sync_detailed, client=CLIENT, limit=1)]
    assert [one for one in everything if one in MADE] == MADE[::-1], everything


def reads_the_ledger_in_pages() -> None:
    events = all_items(list_connection_events.sync_detailed, MADE[2], client=CLIENT, limit=1)
    kinds = [event.kind for event in events]
    assert kinds == ["create.intended", "create.accepted", "create.succeeded"], kinds


def follows_the_feed_past_trouble_and_goes_on_after_a_cursor() -> None:
    bad = client(httpx.MockTransport(Troubled(bad_gateway(), None)), retries=0)
    seen = []
    for item in read_feed(bad, connection=MADE[2]):
        seen.append(item)
        if item.event.kind == "create.succeeded":
            break
    kinds = [item.event.kind for item in seen]
    assert kinds == ["create.intended", "create.accepted", "create.succeeded"], kinds
    rest = read_feed(CLIENT, connection=MADE[2], after=seen[0].cursor, until_newest=True)
    assert [item.cursor for item in rest] == [item.cursor for item in seen[1:]]


async def a_portal_follows_the_feed() -> None:
    async with connect(SERVICE, lambda: SESSION["actor"], ASYNC_ACCOUNTS) as both:
        events = [item async for item in read_feed_async(both, connection=MADE[0], until_newest=True)]
        assert events[-1].event.kind == "create.succeeded", events


def meets_a_conflict_as_a_typed_problem() -> None:
    other = request("python-1", "$Default")
    other.target = CreateTarget(database=DATABASE)
    error = problem_of(lambda: create_connection.sync_detailed(client=CLIENT, body=other))
    assert (error.code, error.status, error.problem.retryable) == ("connectionExists", 409, False)
    assert error.problem.request_id


def tells_an_answer_of_something_else_from_a_problem() -> None:
    for status in (503, 504, 520):
        odd = httpx.MockTransport(lambda _, status=status: httpx.Response(status, html="<html>"))
        try:
            list_connections.sync_detailed(client=client(odd, retries=0))
        except UnexpectedAnswer as error:
            assert error.status == status
        else:
            raise AssertionError("was taken for an answer")


def says_that_an_async_token_function_is_for_async_calls() -> None:
    confused = connect(SERVICE, other_later)
    try:
        list_connections.sync_detailed(client=confused)
    except TypeError as error:
        assert "async" in str(error)
    else:
        raise AssertionError("sent something else than a token")


def removes_with_the_target_tenant_alone_and_keeps_the_record() -> None:
    alone = connect(SERVICE, lambda: ACTOR)
    for connection_id in MADE[1:]:
        response = remove_connection.sync_detailed(connection_id, client=alone, prefer="respond-async")
        unwrap(response)
        wait_for_operation(alone, response, timeout=60)
        assert unwrap(get_connection.sync_detailed(connection_id, client=CLIENT)).state == "removed"


def main() -> int:
    steps = Steps()
    asyncio.run(
        steps.run_async(
            a_portal_connects_and_a_second_click_finds_the_same,
            a_portal_tells_whom_to_ask_when_an_account_is_missing,
            a_portal_marks_the_fields_that_are_wrong,
            a_portal_tells_why_azure_failed_a_change,
            a_portal_lets_the_user_sign_in_with_more_proof_while_a_change_waits_and_follows_it,
            a_portal_shows_a_table_page_by_page,
        )
    )
    steps.run(
        creates_does_not_wait_and_follows_the_operation,
        waits_past_refused_connections_and_a_proxy_that_answers_502_and_no_longer_than_it_is_told,
        provides_its_tokens_to_an_operation_that_waits_for_them,
        retries_a_change_with_the_same_key_and_a_fresh_token_so_that_it_happens_once,
        does_not_retry_what_will_not_succeed_later,
        lists_in_pages_of_one_newest_first,
        reads_the_ledger_in_pages,
        follows_the_feed_past_trouble_and_goes_on_after_a_cursor,
        meets_a_conflict_as_a_typed_problem,
        tells_an_answer_of_something_else_from_a_problem,
        says_that_an_async_token_function_is_for_async_calls,
        removes_with_the_target_tenant_alone_and_keeps_the_record,
    )
    asyncio.run(steps.run_async(a_portal_follows_the_feed, a_portal_removes))
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
