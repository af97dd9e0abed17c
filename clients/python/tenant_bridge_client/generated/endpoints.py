"""The endpoints, a module each."""

from .api.connections import create_connection
from .api.connections import get_connection
from .api.connections import list_connection_events
from .api.connections import list_connections
from .api.connections import remove_connection
from .api.events import list_events
from .api.operations import continue_operation
from .api.operations import get_operation

__all__ = [
    "create_connection",
    "get_connection",
    "list_connection_events",
    "list_connections",
    "remove_connection",
    "list_events",
    "continue_operation",
    "get_operation",
]
