"""Tenant Bridge's client: what is generated from the OpenAPI document, and the few helpers that can't be.

`api` has the endpoints, `models` what requests and responses contain.
"""

from .client import BridgeClient, TokenFunction, connect
from .feed import read_feed, read_feed_async
from .generated.types import UNSET, Response, Unset
from .operation import (
    CallerRequired,
    ClaimsRequired,
    OperationFailed,
    OperationPending,
    wait_for_operation,
    wait_for_operation_async,
)
from .pages import all_items, all_items_async
from .problem import (
    AccessMissing,
    ChangeFailed,
    InvalidRequest,
    ProblemError,
    UnexpectedAnswer,
    unwrap,
)

__all__ = [
    "UNSET",
    "AccessMissing",
    "BridgeClient",
    "CallerRequired",
    "ChangeFailed",
    "ClaimsRequired",
    "InvalidRequest",
    "OperationFailed",
    "OperationPending",
    "ProblemError",
    "Response",
    "TokenFunction",
    "UnexpectedAnswer",
    "Unset",
    "all_items",
    "all_items_async",
    "connect",
    "read_feed",
    "read_feed_async",
    "unwrap",
    "wait_for_operation",
    "wait_for_operation_async",
]
