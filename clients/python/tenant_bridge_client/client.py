"""How a client is made."""

from collections.abc import Callable, Generator, Mapping
from typing import Any

import httpx

from .generated.client import AuthenticatedClient
from .problem import UnexpectedAnswer


class _UserToken(httpx.Auth):
    """Asks for the token before each request, so that it may be renewed, and looks at each answer before it is parsed: an
    error page of a proxy is no problem of the service."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token()}"
        response = yield request
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
        if response.is_error and kind != "application/problem+json":
            raise UnexpectedAnswer(response.status_code)


def connect(
    base_url: str,
    token: Callable[[], str],
    timeout: float = 130.0,
    httpx_args: Mapping[str, Any] | None = None,
) -> AuthenticatedClient:
    """A client for the generated functions (`create_connection.sync_detailed(client=…)`).

    `token` gives the user token for this service, without `Bearer`. `timeout` (seconds) has to be longer than the longest
    `Prefer: wait=n`. `httpx_args` are further arguments of `httpx.Client`. Redirects are not followed: a token must not go
    to another host.
    """
    return AuthenticatedClient(
        base_url=base_url.rstrip("/"),
        # The generator's own header holds one token for ever; the flow above replaces it.
        token="",
        timeout=httpx.Timeout(timeout),
        follow_redirects=False,
        httpx_args={**(httpx_args or {}), "auth": _UserToken(token)},
    )
