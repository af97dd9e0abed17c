from enum import Enum


class ListEventsKind(str, Enum):
    CHANGE_PUTOFF = "change.putOff"
    CONTINUE_REFUSED = "continue.refused"
    CREATE_ACCEPTED = "create.accepted"
    CREATE_APPEARED = "create.appeared"
    CREATE_FAILED = "create.failed"
    CREATE_HELD = "create.held"
    CREATE_INTENDED = "create.intended"
    CREATE_QUEUED = "create.queued"
    CREATE_REFUSED = "create.refused"
    CREATE_REPEATED = "create.repeated"
    CREATE_SUCCEEDED = "create.succeeded"
    OPERATION_CONTINUED = "operation.continued"
    OUTCOME_UNKNOWN = "outcome.unknown"
    REMOVE_ACCEPTED = "remove.accepted"
    REMOVE_FAILED = "remove.failed"
    REMOVE_HELD = "remove.held"
    REMOVE_INTENDED = "remove.intended"
    REMOVE_QUEUED = "remove.queued"
    REMOVE_REFUSED = "remove.refused"
    REMOVE_REPEATED = "remove.repeated"
    REMOVE_SUCCEEDED = "remove.succeeded"

    def __str__(self) -> str:
        return str(self.value)
