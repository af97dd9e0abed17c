from enum import Enum


class MissingKind(str, Enum):
    CONSENT = "consent"
    MEMBERSHIP = "membership"
    PERMISSION = "permission"
    ROLE = "role"
    TOKEN = "token"

    def __str__(self) -> str:
        return str(self.value)
