from enum import Enum


class OperationKind(str, Enum):
    CREATE = "create"
    REMOVE = "remove"

    def __str__(self) -> str:
        return str(self.value)
