"""Retries of requests that may succeed later, and errors for those that did not."""

import asyncio
import random
import time
from typing import Any
from uuid import uuid4

import httpx

from .problem import problem_in, raise_for_error, seconds_of

_RETRIED = (429, 502, 503)
_FIRST_PAUSE = 0.5
AUXILIARY = "x-ms-authorization-auxiliary"
# Set in a request's extensions: how often it is retried.
RETRIES = "tenant_bridge_retries"
# What may end otherwise next time. A response that takes too long is left to the caller.
NO_ANSWER = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ConnectTimeout)


def _prepare(request: httpx.Request) -> None:
    if request.method not in ("GET", "HEAD"):
        request.headers.setdefault("Idempotency-Key", str(uuid4()))


def _forget(request: httpx.Request) -> None:
    """Errors and responses keep their request; httpx hides its `Authorization` when it is printed, but not this header."""
    request.headers.pop(AUXILIARY, None)


def _pause_after(response: httpx.Response | None, attempt: int) -> float | None:
    """How long to wait before the next attempt, in seconds; nothing if none would help."""
    # Spread, so that clients that failed together do not come back together.
    usual: float = _FIRST_PAUSE * 2.0**attempt * random.uniform(0.5, 1)
    if response is None:
        return usual
    if response.status_code not in _RETRIED:
        return None
    problem = problem_in(response)
    if problem is not None and not problem.retryable:
        return None
    seconds = seconds_of(response.headers.get("Retry-After"))
    return usual if seconds is None else seconds


class _Attempts:
    """The attempts of one request."""

    def __init__(self, request: httpx.Request, retries: int, max_pause: float) -> None:
        self._left: int = request.extensions.get(RETRIES, retries)
        self._max_pause = max_pause
        self._attempt = 0

    def pause_after(self, response: httpx.Response | None) -> float | None:
        pause = _pause_after(response, self._attempt) if self._left > 0 else None
        self._left -= 1
        self._attempt += 1
        return pause if pause is not None and pause <= self._max_pause else None


class RetryingClient(httpx.Client):
    """An httpx client that retries and raises errors."""

    def __init__(self, retries: int, max_pause: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._retries, self._max_pause = retries, max_pause

    def send(self, request: httpx.Request, **arguments: Any) -> httpx.Response:
        _prepare(request)
        attempts = _Attempts(request, self._retries, self._max_pause)
        try:
            while True:
                response = None
                try:
                    response = super().send(request, **arguments)
                    if response.is_error:
                        response.read()
                except NO_ANSWER:
                    if (pause := attempts.pause_after(None)) is None:
                        raise
                else:
                    if (pause := attempts.pause_after(response)) is None:
                        return raise_for_error(response)
                time.sleep(pause)
        finally:
            _forget(request)


class AsyncRetryingClient(httpx.AsyncClient):
    """The same for async calls."""

    def __init__(self, retries: int, max_pause: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._retries, self._max_pause = retries, max_pause

    async def send(self, request: httpx.Request, **arguments: Any) -> httpx.Response:
        _prepare(request)
        attempts = _Attempts(request, self._retries, self._max_pause)
        try:
            while True:
                response = None
                try:
                    response = await super().send(request, **arguments)
                    if response.is_error:
                        await response.aread()
                except NO_ANSWER:
                    if (pause := attempts.pause_after(None)) is None:
                        raise
                else:
                    if (pause := attempts.pause_after(response)) is None:
                        return raise_for_error(response)
                await asyncio.sleep(pause)
        finally:
            _forget(request)
