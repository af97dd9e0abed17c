from enum import Enum


class ComparisonWord(str, Enum):
    ABSENT = "absent"
    DIFFERS = "differs"
    REPLACED = "replaced"
    SAME = "same"
    UNREADABLE = "unreadable"

    def __str__(self) -> str:
        return str(self.value)
