from enum import Enum


class AwaitingReason(str, Enum):
    CLAIMS = "claims"
    NOTJOINED = "notJoined"
    TOKENMISSING = "tokenMissing"

    def __str__(self) -> str:
        return str(self.value)
