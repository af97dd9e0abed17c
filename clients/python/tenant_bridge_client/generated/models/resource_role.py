from enum import Enum


class ResourceRole(str, Enum):
    CLUSTER = "cluster"
    DATABASE = "database"
    EVENTHUB = "eventHub"

    def __str__(self) -> str:
        return str(self.value)
