from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.found_resource_resource import FoundResourceResource


T = TypeVar("T", bound="FoundResource")


@_attrs_define
class FoundResource:
    """What a read found at Azure that differs from the record.

    Attributes:
        differences (list[str]): Where it differs from what is recorded: JSON pointers (RFC 6901) into `resource`.
        seen_at (datetime.datetime): When it was seen.
        resource (FoundResourceResource | Unset): The data connection as Azure showed it, without the names of people;
            absent for those who see the connection from the
            source's side.
    """

    differences: list[str]
    seen_at: datetime.datetime
    resource: FoundResourceResource | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        differences = self.differences

        seen_at = self.seen_at.isoformat()

        resource: dict[str, Any] | Unset = UNSET
        if not isinstance(self.resource, Unset):
            resource = self.resource.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "differences": differences,
                "seenAt": seen_at,
            }
        )
        if resource is not UNSET:
            field_dict["resource"] = resource

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.found_resource_resource import FoundResourceResource

        d = dict(src_dict)
        differences = cast(list[str], d.pop("differences"))

        seen_at = datetime.datetime.fromisoformat(d.pop("seenAt"))

        _resource = d.pop("resource", UNSET)
        resource: FoundResourceResource | Unset
        if isinstance(_resource, Unset):
            resource = UNSET
        else:
            resource = FoundResourceResource.from_dict(_resource)

        found_resource = cls(
            differences=differences,
            seen_at=seen_at,
            resource=resource,
        )

        found_resource.additional_properties = d
        return found_resource

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
