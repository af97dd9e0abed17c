from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ContinueOperation")


@_attrs_define
class ContinueOperation:
    """Names the request of the operation that is continued.

    Attributes:
        request_hash (str | Unset): The operation's `requestHash`. Required from a person other than its requester: it
            shows that they have read what they continue
            in their own name.
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
