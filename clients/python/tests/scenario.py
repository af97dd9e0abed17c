"""The main job through the client, against `cargo sandbox --json`: scenario.py FILE, where FILE holds its line.

Each step prints `ok` or `not ok`; the last line counts them.
"""

import json
import ssl
import sys
import traceback
from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID, uuid4

import httpx

from tenant_bridge_client import (
    AuthenticatedClient,
    OperationPending,
    ProblemError,
    UnexpectedAnswer,
    all_connections,
    all_events,
    connect,
    unwrap,
    wait_for_operation,
)
from tenant_bridge_client.generated.api.connections import (
    create_connection,
    get_connection,
    list_connections,
    remove_connection,
)
from tenant_bridge_client.generated.models import (
    CreateConnection,
    CreateEventHub,
    CreateSource,
    CreateTarget,
    Operation,
    State,
)
from tenant_bridge_client.generated.types import Response

with open(sys.argv[1], encoding="utf-8") as line:
    SANDBOX = json.load(line)
DATABASE: str = SANDBOX["resources"]["clusters"][0]["databases"][0]["id"]
HUB: str = SANDBOX["resources"]["namespaces"][0]["eventHubs"][1]["id"]
DOMAIN2 = next(UUID(tenant["id"]) for tenant in SANDBOX["tenants"] if "domain2.com" in tenant["domains"])


def token_of(user: str) -> str:
    """A token that the portal got for the user, for Tenant Bridge."""
    answer = httpx.post(
        SANDBOX["userToken"],
        json={
            "user": user,
            "tenant": user.split("@")[1],
            "app": "portal",
            "api": "tenant-bridge",
            "scopes": ["Connections.ReadWrite"],
        },
        verify=ssl.create_default_context(cafile=SANDBOX["caFile"]),
    )
    return str(answer.raise_for_status().json()["accessToken"])


ACTOR = token_of("acc1@domain1.com")
AUXILIARY = f"Bearer {token_of('acc2@domain2.com')}"
CLIENT = connect(SANDBOX["service"], lambda: ACTOR)
MADE: list[UUID] = []


def request(name: str, consumer_group: str) -> CreateConnection:
    return CreateConnection(
        name=name,
        target=CreateTarget(database=DATABASE, table="Events", mapping="EventsMapping", data_format="JSON"),
        source=CreateSource(event_hub=CreateEventHub(resource_id=HUB, consumer_group=consumer_group)),
        justification="The scenario of the Python client",
    )


def refusal(call: Callable[[], object]) -> ProblemError:
    """The problem that a call was refused with."""
    try:
        call()
    except ProblemError as error:
        return error
    raise AssertionError("was not refused")


def instead(answer: httpx.Response) -> AuthenticatedClient:
    """A client that always gets this answer."""
    transport = httpx.MockTransport(lambda _: answer)
    return connect(SANDBOX["service"], lambda: ACTOR, httpx_args={"transport": transport})


def creates_and_waits_in_the_same_call() -> None:
    response = create_connection.sync_detailed(
        client=CLIENT,
        body=request("python-1", "$Default"),
        prefer="wait=20",
        x_ms_authorization_auxiliary=AUXILIARY,
    )
    connection = unwrap(response)
    assert response.status_code == HTTPStatus.CREATED, response
    assert connection.state is State.ACTIVE
    assert [tenant.tenant_id for tenant in connection.source.tenants] == [DOMAIN2]
    MADE.append(connection.id)


def creates_does_not_wait_and_follows_the_operation() -> None:
    response = create_connection.sync_detailed(
        client=CLIENT,
        body=request("python-2", "cg1"),
        prefer="respond-async",
        x_ms_authorization_auxiliary=AUXILIARY,
    )
    connection = unwrap(response)
    assert response.status_code == HTTPStatus.ACCEPTED, response
    operation = wait_for_operation(CLIENT, response, auxiliary=AUXILIARY, patience=60)
    assert operation.connection_id == connection.id
    assert unwrap(get_connection.sync_detailed(connection.id, client=CLIENT)).state is State.ACTIVE
    MADE.append(connection.id)


def waits_no_longer_than_it_is_told() -> None:
    def answer(operation_id: UUID) -> Response[Operation]:
        headers = {"Operation-Location": f"/v1/operations/{operation_id}"}
        return Response(status_code=HTTPStatus.ACCEPTED, content=b"", headers=headers, parsed=None)

    last = unwrap(get_connection.sync_detailed(MADE[0], client=CLIENT)).last_operation
    assert last
    assert wait_for_operation(CLIENT, answer(last.id), patience=0).id == last.id
    assert refusal(lambda: wait_for_operation(CLIENT, answer(uuid4()))).code == "notFound"
    running = {**last.to_dict(), "status": "running"}
    busy = instead(httpx.Response(200, json=running, headers={"Retry-After": "1"}))
    try:
        wait_for_operation(busy, answer(last.id), patience=0.5)
    except OperationPending:
        return
    raise AssertionError("waited on")


def lists_in_pages_of_one_newest_first() -> None:
    page = unwrap(list_connections.sync_detailed(client=CLIENT, limit=1))
    assert len(page.value) == 1 and page.next_link
    everything = [connection.id for connection in all_connections(CLIENT, limit=1)]
    assert [one for one in everything if one in MADE] == MADE[::-1], everything


def reads_the_ledger_in_pages() -> None:
    kinds = [str(event.kind) for event in all_events(CLIENT, MADE[1], limit=1)]
    assert kinds == ["create.intended", "create.accepted", "create.succeeded"], kinds


def may_repeat_itself() -> None:
    response = create_connection.sync_detailed(
        client=CLIENT, body=request("python-1", "$Default"), x_ms_authorization_auxiliary=AUXILIARY
    )
    assert (unwrap(response).id, response.status_code) == (MADE[0], HTTPStatus.OK)


def meets_a_conflict_as_a_typed_problem() -> None:
    other = request("python-1", "$Default")
    other.target = CreateTarget(database=DATABASE)
    error = refusal(
        lambda: unwrap(
            create_connection.sync_detailed(
                client=CLIENT,
                body=other,
                x_ms_authorization_auxiliary=AUXILIARY,
            )
        )
    )
    assert (error.code, error.status, error.problem.retryable) == ("connectionExists", 409, False)
    assert error.problem.request_id


def is_told_which_access_is_missing() -> None:
    error = refusal(
        lambda: unwrap(create_connection.sync_detailed(client=CLIENT, body=request("python-3", "cg1")))
    )
    assert error.code == "accessMissing"
    assert [missing.tenant for missing in error.problem.missing or []] == [DOMAIN2]


def is_told_which_member_is_wrong() -> None:
    error = refusal(lambda: unwrap(create_connection.sync_detailed(client=CLIENT, body=request("a/b", "cg1"))))
    assert [wrong.pointer for wrong in error.problem.errors or []] == ["/name"]


def tells_an_answer_of_something_else_from_a_problem() -> None:
    # One status that the document has, and one that it doesn't.
    for status in (503, 504):
        try:
            unwrap(list_connections.sync_detailed(client=instead(httpx.Response(status, html="<html>"))))
        except UnexpectedAnswer as error:
            assert error.status == status
        else:
            raise AssertionError("was taken for an answer")


def removes_with_the_target_tenant_alone_and_keeps_the_record() -> None:
    for connection_id in MADE:
        response = remove_connection.sync_detailed(connection_id, client=CLIENT, prefer="respond-async")
        unwrap(response)
        wait_for_operation(CLIENT, response, patience=60)
        connection = unwrap(get_connection.sync_detailed(connection_id, client=CLIENT))
        assert connection.state is State.REMOVED


def main() -> int:
    steps: list[Callable[[], None]] = [
        creates_and_waits_in_the_same_call,
        creates_does_not_wait_and_follows_the_operation,
        waits_no_longer_than_it_is_told,
        lists_in_pages_of_one_newest_first,
        reads_the_ledger_in_pages,
        may_repeat_itself,
        meets_a_conflict_as_a_typed_problem,
        is_told_which_access_is_missing,
        is_told_which_member_is_wrong,
        tells_an_answer_of_something_else_from_a_problem,
        removes_with_the_target_tenant_alone_and_keeps_the_record,
    ]
    failed = 0
    for step in steps:
        name = step.__name__.replace("_", " ")
        try:
            step()
            print(f"ok - python: {name}", flush=True)
        except Exception:  # one step that fails must not hide the others
            failed += 1
            print(f"not ok - python: {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(steps) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
