from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.upstream import Upstream


T = TypeVar("T", bound="Failure")


@_attrs_define
class Failure:
    """Why an operation failed, in words that are safe to show.

    Attributes:
        code (str): A stable code, as in problems.
        detail (str): What happened, and how to fix it.
        comparison (str | Unset): How what is at ARM compares with the record, where that is why: `differs` or
            `replaced`.
        upstream (Upstream | Unset): An answer of Entra or ARM that a problem or failure goes back to.
    """

    code: str
    detail: str
    comparison: str | Unset = UNSET
    upstream: Upstream | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        detail = self.detail

        comparison = self.comparison

        upstream: dict[str, Any] | Unset = UNSET
        if not isinstance(self.upstream, Unset):
            upstream = self.upstream.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "detail": detail,
            }
        )
        if comparison is not UNSET:
            field_dict["comparison"] = comparison
        if upstream is not UNSET:
            field_dict["upstream"] = upstream

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.upstream import Upstream

        d = dict(src_dict)
        code = d.pop("code")

        detail = d.pop("detail")

        comparison = d.pop("comparison", UNSET)

        _upstream = d.pop("upstream", UNSET)
        upstream: Upstream | Unset
        if isinstance(_upstream, Unset):
            upstream = UNSET
        else:
            upstream = Upstream.from_dict(_upstream)

        failure = cls(
            code=code,
            detail=detail,
            comparison=comparison,
            upstream=upstream,
        )

        failure.additional_properties = d
        return failure

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
