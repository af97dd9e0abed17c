"""What the client does about trouble on the way, without a service."""

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import httpx
from steps import Steps

from tenant_bridge_client import (
    BridgeClient,
    CallerRequired,
    OperationPending,
    TokenFunction,
    UnexpectedAnswer,
    connect,
    read_feed,
    read_feed_async,
    wait_for_operation,
    wait_for_operation_async,
)
from tenant_bridge_client.api import list_connections, remove_connection

HOME, OTHER, ID = uuid4(), uuid4(), uuid4()
AUXILIARY = "x-ms-authorization-auxiliary"
OPERATION = {
    "id": str(ID),
    "connectionId": str(ID),
    "kind": "create",
    "createdAt": "2025-03-03T09:15:00Z",
    "requestHash": "00",
}
RUNNING = {**OPERATION, "status": "running"}
SUCCEEDED = {**OPERATION, "status": "succeeded", "finishedAt": "2025-03-03T09:15:09Z"}


def token() -> str:
    """A token as Microsoft Entra issues it, as far as the client looks at it."""
    payload = base64.urlsafe_b64encode(json.dumps({"tid": str(HOME), "name": "???>>>"}).encode())
    return f"e30.{payload.decode().rstrip('=')}."


Answer = Callable[[], httpx.Response]


def ok(body: Any) -> Answer:
    return lambda: httpx.Response(200, json=body, headers={"Retry-After": "0"})


class Answers:
    """Answers, the last one again and again. It keeps what was sent."""

    def __init__(self, *answers: Answer) -> None:
        self.sent: list[httpx.Request] = []
        self._answers = answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(
            httpx.Request(request.method, request.url, headers=request.headers, extensions=request.extensions)
        )
        return self._answers[min(len(self.sent), len(self._answers)) - 1]()

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.sent]


def client(
    answer: Callable[[httpx.Request], httpx.Response],
    auxiliary: dict[UUID, TokenFunction] | None = None,
    retries: int = 0,
    base_url: str = "http://tenant-bridge.example",
) -> BridgeClient:
    transport = httpx.MockTransport(answer)
    return connect(base_url, token, auxiliary, retries=retries, httpx_args={"transport": transport})


def raised_by(call: Callable[[], object]) -> Exception:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("was not rejected")


def pauses_of(call: Callable[[], object]) -> list[float]:
    """The pauses of a call, in seconds, which pass at once."""
    with mock.patch("time.sleep") as sleep:
        call()
    return [one.args[0] for one in sleep.call_args_list]


def reads_the_feed_to_its_newest_event_also_while_the_cursor_moves_because_of_others() -> None:
    def pages() -> Answers:
        def page(number: int) -> Answer:
            return ok({"value": [], "cursor": f"c{number}", "isAtHead": number == 3, "nextLink": ""})

        return Answers(page(1), page(2), page(3), page(4))

    answers = pages()
    assert list(read_feed(client(answers), until_newest=True)) == []
    assert len(answers.sent) == 3

    async def later(answers: Answers) -> None:
        assert [one async for one in read_feed_async(client(answers), until_newest=True)] == []
        assert len(answers.sent) == 3

    asyncio.run(later(pages()))


def does_not_wait_out_an_error_of_its_own_side() -> None:
    nowhere = connect("nowhere://tenant-bridge.example", token, retries=0)
    for call in (lambda: wait_for_operation(nowhere, ID), lambda: next(iter(read_feed(nowhere)))):
        error = raised_by(call)
        assert isinstance(error, httpx.UnsupportedProtocol), error


def follows_no_redirect_and_does_not_wait_for_it_to_go() -> None:
    answers = Answers(lambda: httpx.Response(307, headers={"Location": "/elsewhere"}))
    error = raised_by(lambda: wait_for_operation(client(answers), ID))
    assert isinstance(error, UnexpectedAnswer) and error.status == 307, error
    assert len(answers.sent) == 1


def refused() -> httpx.Response:
    raise httpx.ConnectError("refused")


def tells_why_it_waited_in_vain_after_one_request_at_a_time() -> None:
    answers = Answers(refused)
    error = raised_by(lambda: wait_for_operation(client(answers, retries=3), ID, timeout=1))
    assert isinstance(error, OperationPending), error
    assert isinstance(error.__cause__, httpx.ConnectError)
    assert len(answers.sent) == 1
    answers = Answers(refused)
    waiting = wait_for_operation_async(client(answers, retries=3), ID, timeout=1)
    error = raised_by(lambda: asyncio.run(waiting))
    assert isinstance(error, OperationPending) and len(answers.sent) == 1, error


def does_not_wait_longer_for_an_answer_than_it_is_told() -> None:
    answers = Answers(ok(RUNNING))
    error = raised_by(lambda: wait_for_operation(client(answers), ID, timeout=0))
    assert isinstance(error, OperationPending) and error.__cause__ is None, error
    assert 0 < answers.sent[0].extensions["timeout"]["read"] <= 5
    answers = Answers(ok(SUCCEEDED))
    wait_for_operation(client(answers), ID, timeout=3600)
    assert answers.sent[0].extensions["timeout"]["read"] == 130


def comes_back_when_it_is_told_to_also_by_something_on_the_way() -> None:
    def later(status: int, text: str) -> Answer:
        return lambda: httpx.Response(status, headers={"Retry-After": text})

    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    for status in (408, 429, 503):
        answers = Answers(later(status, "70"), ok(SUCCEEDED))
        pauses = pauses_of(partial(wait_for_operation, client(answers), ID))
        assert len(pauses) == 1 and 69 < pauses[0] <= 70, pauses
        far = client(Answers(later(status, date)))
        error = raised_by(partial(wait_for_operation, far, ID))
        assert isinstance(error, OperationPending), error
        assert isinstance(error.__cause__, UnexpectedAnswer)
        assert (error.__cause__.retry_after or 0) > 3500
        stop = Answers(later(status, "70"), lambda: httpx.Response(400))
        feed = read_feed(client(stop))
        assert pauses_of(partial(raised_by, partial(next, feed))) == [70]
    for text in ("-5", "soon", ""):
        odd = client(Answers(later(429, text)))
        error = raised_by(partial(list_connections.sync_detailed, client=odd))
        assert isinstance(error, UnexpectedAnswer) and error.retry_after is None, text


def awaiting(*awaited: tuple[UUID, str]) -> Answer:
    missing = [{"tenantId": str(tenant), "reason": reason} for tenant, reason in awaited]
    return ok({**OPERATION, "status": "awaitingCaller", "awaiting": missing})


def continues_an_operation_with_the_tokens_of_its_accounts_only() -> None:
    both = awaiting((HOME, "tokenMissing"), (OTHER, "tokenMissing"))
    answers = Answers(both, ok(RUNNING), ok(SUCCEEDED))
    held: dict[UUID, TokenFunction] = {OTHER: lambda: "other"}
    assert wait_for_operation(client(answers, held), ID).status == "succeeded"
    assert answers.methods == ["GET", "POST", "GET"]
    for waits in (both, awaiting((HOME, "notJoined"))):
        answers = Answers(waits)
        error = raised_by(partial(wait_for_operation, client(answers), ID))
        assert isinstance(error, CallerRequired) and error.operation_id == ID, error
        assert error.awaiting[0].tenant_id == HOME
        assert answers.methods == ["GET"]


def follows_an_operation_that_it_may_not_continue() -> None:
    waits = awaiting((HOME, "tokenMissing"))
    for code in ("requestHashMissing", "insufficientScope"):
        problem = {"code": code, "title": "", "type": "", "status": 403, "detail": "", "retryable": False}
        refusal = partial(
            httpx.Response,
            403,
            json={**problem, "requestId": ""},
            headers={"Content-Type": "application/problem+json"},
        )
        answers = Answers(waits, refusal, waits, waits, ok(SUCCEEDED))
        assert wait_for_operation(client(answers), ID).status == "succeeded"
        assert answers.methods == ["GET", "POST", "GET", "GET", "GET"]


def sends_fresh_auxiliary_tokens_with_each_attempt_and_keeps_none() -> None:
    tokens = iter(["first", "second", "third", "fourth"])
    answers = Answers(refused, lambda: httpx.Response(502, headers={"Retry-After": "0"}), refused)
    both = client(answers, {OTHER: lambda: next(tokens)}, retries=2)
    with mock.patch("time.sleep"):
        error = raised_by(lambda: remove_connection.sync_detailed(ID, client=both))
    sent = [request.headers[AUXILIARY] for request in answers.sent]
    assert sent == ["Bearer first", "Bearer second", "Bearer third"]
    assert isinstance(error, httpx.ConnectError)
    assert AUXILIARY not in error.request.headers
    # Those that a call is given are sent as they are, and not kept either.
    answers = Answers(lambda: httpx.Response(502))
    own = client(answers, {OTHER: lambda: next(tokens)}, retries=1)
    with mock.patch("time.sleep"):
        raised_by(
            lambda: asyncio.run(
                remove_connection.asyncio_detailed(
                    ID, client=own, x_ms_authorization_auxiliary="Bearer given"
                )
            )
        )
    assert [request.headers[AUXILIARY] for request in answers.sent] == ["Bearer given"] * 2


def main() -> int:
    steps = Steps()
    steps.run(
        reads_the_feed_to_its_newest_event_also_while_the_cursor_moves_because_of_others,
        does_not_wait_out_an_error_of_its_own_side,
        follows_no_redirect_and_does_not_wait_for_it_to_go,
        tells_why_it_waited_in_vain_after_one_request_at_a_time,
        does_not_wait_longer_for_an_answer_than_it_is_told,
        comes_back_when_it_is_told_to_also_by_something_on_the_way,
        continues_an_operation_with_the_tokens_of_its_accounts_only,
        follows_an_operation_that_it_may_not_continue,
        sends_fresh_auxiliary_tokens_with_each_attempt_and_keeps_none,
    )
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
