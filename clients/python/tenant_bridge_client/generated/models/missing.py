from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.missing_kind import MissingKind
from ..types import UNSET, Unset

T = TypeVar("T", bound="Missing")


@_attrs_define
class Missing:
    """Access that is missing, and how to get it.

    Attributes:
        tenant (UUID): In which tenant.
        kind (MissingKind): What kind of access is missing.
        fix (str): What to do, by whom.
        url (str | Unset): Where to do it.
    """

    tenant: UUID
    kind: MissingKind
    fix: str
    url: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tenant = str(self.tenant)

        kind = self.kind.value

        fix = self.fix

        url = self.url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tenant": tenant,
                "kind": kind,
                "fix": fix,
            }
        )
        if url is not UNSET:
            field_dict["url"] = url

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        tenant = UUID(d.pop("tenant"))

        kind = MissingKind(d.pop("kind"))

        fix = d.pop("fix")

        url = d.pop("url", UNSET)

        missing = cls(
            tenant=tenant,
            kind=kind,
            fix=fix,
            url=url,
        )

        missing.additional_properties = d
        return missing

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
