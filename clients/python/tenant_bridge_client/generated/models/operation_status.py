from enum import Enum


class OperationStatus(str, Enum):
    AWAITINGCALLER = "awaitingCaller"
    FAILED = "failed"
    NOTSTARTED = "notStarted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    UNSETTLED = "unsettled"

    def __str__(self) -> str:
        return str(self.value)
