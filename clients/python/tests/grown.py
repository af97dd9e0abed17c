"""Answers of a later version of the service: grown.py DOCUMENT, where DOCUMENT is openapi.json.

Each example of the document gets words, members and statuses that this client never heard of; nothing of them may be lost, and
nothing may fail.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from steps import Steps

from tenant_bridge_client import (
    AccessMissing,
    BridgeClient,
    OperationFailed,
    ProblemError,
    api,
    connect,
    unwrap,
    wait_for_operation,
)
from tenant_bridge_client.models import (
    ContinueOperation,
    CreateConnection,
    CreateEventHub,
    CreateSource,
    CreateTarget,
)

WORD = "ofALaterVersion"
# Members whose words later versions may add to.
OPEN = ("code", "comparison", "kind", "reason", "role", "state", "status")
JSON, PROBLEM = "application/json", "application/problem+json"
BODIES: dict[str, Any] = {
    "create_connection": CreateConnection(
        name="n", target=CreateTarget(database="d"), source=CreateSource(event_hub=CreateEventHub("h"))
    ),
    "continue_operation": ContinueOperation(),
}

with open(sys.argv[1], encoding="utf-8") as file:
    DOCUMENT: dict[str, Any] = json.load(file)


def grown(value: Any) -> Any:
    """The same answer of a later version."""
    if isinstance(value, list):
        return [grown(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = {
        name: WORD if name in OPEN and isinstance(member, str) else grown(member)
        for name, member in value.items()
    }
    return {**members, WORD: {WORD: [WORD]}}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each endpoint's module, and its responses."""
    for path in DOCUMENT["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "operationId" in operation:
                name = re.sub("([A-Z])", r"_\1", operation["operationId"]).lower()
                yield name, operation["responses"]


def examples(responses: dict[str, Any], media_type: str) -> Iterator[tuple[str, Any]]:
    for status, response in responses.items():
        content = response.get("content", {}).get(media_type, {})
        if "example" in content:
            yield status, content["example"]
        for example in content.get("examples", {}).values():
            if "$ref" in example:
                example = DOCUMENT["components"]["examples"][example["$ref"].rsplit("/", 1)[-1]]
            yield status, example["value"]


def answering(*answers: tuple[int, str, Any]) -> BridgeClient:
    """A client that gets these answers, the last one again and again."""
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        status, media_type, body = left.pop(0) if len(left) > 1 else left[0]
        headers = {"Content-Type": media_type, "Retry-After": "0"}
        return httpx.Response(status, content=json.dumps(body), headers=headers)

    return connect(
        "https://tenant-bridge.example",
        lambda: "token",
        retries=0,
        httpx_args={"transport": httpx.MockTransport(answer)},
    )


def arguments(name: str, client: BridgeClient) -> dict[str, Any]:
    """What the function of an endpoint has to be given."""
    needs_id = name not in ("create_connection", "list_connections", "list_events")
    body = {"body": BODIES[name]} if name in BODIES else {}
    return {"client": client, **({"id": uuid4()} if needs_id else {}), **body}


PROBLEMS = [
    problem for _, responses in operations() for _, problem in examples(responses, PROBLEM)
]


def each_answer_of_a_later_version_is_read_whole() -> None:
    read = 0
    for name, responses in operations():
        for status, example in examples(responses, JSON):
            body = grown(example)
            for answer in both(name, (int(status), JSON, body)):
                assert timed(unwrap(answer).to_dict()) == timed(body), (name, status)
                read += 1
    assert read >= 24, read


def timed(value: Any) -> Any:
    """With times as times: there is more than one way to write each."""
    if isinstance(value, list):
        return [timed(item) for item in value]
    if isinstance(value, dict):
        return {name: timed(member) for name, member in value.items()}
    is_time = isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value)
    return datetime.fromisoformat(value) if is_time else value


def both(name: str, answer: tuple[int, str, Any]) -> Iterator[Any]:
    """What an endpoint's functions return, that for threads and that for async code."""
    endpoint = getattr(api, name)
    yield endpoint.sync_detailed(**arguments(name, answering(answer)))
    yield asyncio.run(endpoint.asyncio_detailed(**arguments(name, answering(answer))))


def problems_of_a_later_version_are_read_from_any_status() -> None:
    assert len(PROBLEMS) >= 12
    for name, _ in operations():
        for status in (418, 451, 499, 507, 599):
            error = problem_of(name, status, grown(PROBLEMS[-1]))
            assert (error.code, error.status) == (WORD, status), name
            assert error.problem.detail == PROBLEMS[-1]["detail"]


def problem_of(name: str, status: int, problem: Any) -> ProblemError:
    client = answering((status, PROBLEM, problem))
    try:
        getattr(api, name).sync_detailed(**arguments(name, client))
    except ProblemError as error:
        return error
    raise AssertionError("was not rejected")


def an_access_that_is_missing_in_a_way_it_never_heard_of_is_shown_as_it_is() -> None:
    example = next(problem for problem in PROBLEMS if problem.get("missing"))
    error = problem_of("get_connection", 403, {**grown(example), "code": "accessMissing"})
    assert isinstance(error, AccessMissing)
    assert [missing.kind for missing in error.missing] == [WORD]
    assert error.missing[0].fix


def an_operation_in_a_state_that_it_never_heard_of_is_waited_for() -> None:
    responses = DOCUMENT["paths"]["/v1/operations/{id}"]["get"]["responses"]
    _, example = next(examples(responses, JSON))
    body = grown(example)
    body.pop("finishedAt", None)
    client = answering((200, JSON, body), (200, JSON, {**body, "status": "failed"}))
    try:
        wait_for_operation(client, UUID(body["id"]))
    except OperationFailed as error:
        assert error.operation.additional_properties[WORD] == {WORD: [WORD]}
        return
    raise AssertionError("did not end")


def an_operation_that_ended_in_a_way_that_it_never_heard_of_has_ended() -> None:
    responses = DOCUMENT["paths"]["/v1/operations/{id}"]["get"]["responses"]
    _, example = next(examples(responses, JSON))
    body = {**grown(example), "finishedAt": "2025-03-03T09:15:00Z"}
    assert wait_for_operation(answering((200, JSON, body)), UUID(body["id"])).status == WORD


def main() -> int:
    steps = Steps()
    all_steps: list[Callable[[], None]] = [
        each_answer_of_a_later_version_is_read_whole,
        problems_of_a_later_version_are_read_from_any_status,
        an_access_that_is_missing_in_a_way_it_never_heard_of_is_shown_as_it_is,
        an_operation_in_a_state_that_it_never_heard_of_is_waited_for,
        an_operation_that_ended_in_a_way_that_it_never_heard_of_has_ended,
    ]
    steps.run(*all_steps)
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
