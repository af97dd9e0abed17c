"""Contains all the data models used in inputs/outputs"""

from .accepted_details import AcceptedDetails
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
from .continued_details import ContinuedDetails
from .create_appeared_details import CreateAppearedDetails
from .create_connection import CreateConnection
from .create_event_hub import CreateEventHub
from .create_intent_details import CreateIntentDetails
from .create_repeated_details import CreateRepeatedDetails
from .create_source import CreateSource
from .create_succeeded_details import CreateSucceededDetails
from .create_target import CreateTarget
from .deferred_details import DeferredDetails
from .event_feed import EventFeed
from .event_kind import EventKind
from .event_list import EventList
from .failure import Failure
from .failure_code import FailureCode
from .failure_details import FailureDetails
from .feed_event import FeedEvent
from .field_error import FieldError
from .found_resource import FoundResource
from .found_resource_resource import FoundResourceResource
from .ledger_event import LedgerEvent
from .ledger_event_details import LedgerEventDetails
from .list_connections_actor import ListConnectionsActor
from .list_connections_kind import ListConnectionsKind
from .list_connections_order_by import ListConnectionsOrderBy
from .list_connections_state import ListConnectionsState
from .list_events_kind import ListEventsKind
from .missing import Missing
from .missing_access import MissingAccess
from .missing_kind import MissingKind
from .operation import Operation
from .operation_kind import OperationKind
from .operation_status import OperationStatus
from .outcome_unknown_details import OutcomeUnknownDetails
from .person import Person
from .problem import Problem
from .problem_code import ProblemCode
from .refusal_details import RefusalDetails
from .removal_intent_details import RemovalIntentDetails
from .remove_succeeded_details import RemoveSucceededDetails
from .resource_role import ResourceRole
from .source_tenant import SourceTenant
from .state import State
from .upstream import Upstream
from .upstream_service import UpstreamService

__all__ = (
    "AcceptedDetails",
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
    "ContinuedDetails",
    "CreateAppearedDetails",
    "CreateConnection",
    "CreateEventHub",
    "CreateIntentDetails",
    "CreateRepeatedDetails",
    "CreateSource",
    "CreateSucceededDetails",
    "CreateTarget",
    "DeferredDetails",
    "EventFeed",
    "EventKind",
    "EventList",
    "Failure",
    "FailureCode",
    "FailureDetails",
    "FeedEvent",
    "FieldError",
    "FoundResource",
    "FoundResourceResource",
    "LedgerEvent",
    "LedgerEventDetails",
    "ListConnectionsActor",
    "ListConnectionsKind",
    "ListConnectionsOrderBy",
    "ListConnectionsState",
    "ListEventsKind",
    "Missing",
    "MissingAccess",
    "MissingKind",
    "Operation",
    "OperationKind",
    "OperationStatus",
    "OutcomeUnknownDetails",
    "Person",
    "Problem",
    "ProblemCode",
    "RefusalDetails",
    "RemovalIntentDetails",
    "RemoveSucceededDetails",
    "ResourceRole",
    "SourceTenant",
    "State",
    "Upstream",
    "UpstreamService",
)
