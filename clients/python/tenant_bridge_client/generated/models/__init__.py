"""Contains all the data models used in inputs/outputs"""

from .awaited_token import AwaitedToken
from .awaiting_reason import AwaitingReason
from .comparison_word import ComparisonWord
from .connection import Connection
from .connection_event_hub import ConnectionEventHub
from .connection_list import ConnectionList
from .connection_resource import ConnectionResource
from .connection_source import ConnectionSource
from .connection_target import ConnectionTarget
from .continue_operation import ContinueOperation
from .create_connection import CreateConnection
from .create_event_hub import CreateEventHub
from .create_source import CreateSource
from .create_target import CreateTarget
from .event_feed import EventFeed
from .event_kind import EventKind
from .event_list import EventList
from .failure import Failure
from .failure_code import FailureCode
from .feed_event import FeedEvent
from .field_error import FieldError
from .found_resource import FoundResource
from .found_resource_resource import FoundResourceResource
from .ledger_event import LedgerEvent
from .ledger_event_details import LedgerEventDetails
from .list_connections_state import ListConnectionsState
from .list_events_kind import ListEventsKind
from .missing import Missing
from .missing_kind import MissingKind
from .operation import Operation
from .operation_kind import OperationKind
from .operation_status import OperationStatus
from .person import Person
from .problem import Problem
from .problem_code import ProblemCode
from .resource_role import ResourceRole
from .source_tenant import SourceTenant
from .state import State
from .upstream import Upstream
from .upstream_service import UpstreamService

__all__ = (
    "AwaitedToken",
    "AwaitingReason",
    "ComparisonWord",
    "Connection",
    "ConnectionEventHub",
    "ConnectionList",
    "ConnectionResource",
    "ConnectionSource",
    "ConnectionTarget",
    "ContinueOperation",
    "CreateConnection",
    "CreateEventHub",
    "CreateSource",
    "CreateTarget",
    "EventFeed",
    "EventKind",
    "EventList",
    "Failure",
    "FailureCode",
    "FeedEvent",
    "FieldError",
    "FoundResource",
    "FoundResourceResource",
    "LedgerEvent",
    "LedgerEventDetails",
    "ListConnectionsState",
    "ListEventsKind",
    "Missing",
    "MissingKind",
    "Operation",
    "OperationKind",
    "OperationStatus",
    "Person",
    "Problem",
    "ProblemCode",
    "ResourceRole",
    "SourceTenant",
    "State",
    "Upstream",
    "UpstreamService",
)
