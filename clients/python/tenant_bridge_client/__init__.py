"""Tenant Bridge's client: what is generated from the OpenAPI document, and the few helpers that can't be."""

from .client import connect
from .generated.client import AuthenticatedClient
from .operation import OperationFailed, OperationPending, wait_for_operation
from .pages import all_connections, all_events
from .problem import ProblemError, UnexpectedAnswer, unwrap

__all__ = [
    "AuthenticatedClient",
    "OperationFailed",
    "OperationPending",
    "ProblemError",
    "UnexpectedAnswer",
    "all_connections",
    "all_events",
    "connect",
    "unwrap",
    "wait_for_operation",
]
