from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ContinueOperation")


@_attrs_define
class ContinueOperation:
    """Which operation is meant to go on.

    Attributes:
        request_hash (str | Unset): The operation's `requestHash`. Needed by whoever is not the one who asked for it: it
            says that they have seen what they
            go on with in their own name.
    """

    request_hash: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        request_hash = self.request_hash

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if request_hash is not UNSET:
            field_dict["requestHash"] = request_hash

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        request_hash = d.pop("requestHash", UNSET)

        continue_operation = cls(
            request_hash=request_hash,
        )

        return continue_operation
