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
        fix (str): What to do, by whom.
        kind (MissingKind): What kind of access is missing.
        tenant (UUID): In which tenant.
        url (str | Unset): Where to do it.
    """

    fix: str
    kind: MissingKind
    tenant: UUID
    url: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fix = self.fix

        kind = self.kind.value

        tenant = str(self.tenant)

        url = self.url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "fix": fix,
                "kind": kind,
                "tenant": tenant,
            }
        )
        if url is not UNSET:
            field_dict["url"] = url

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        fix = d.pop("fix")

        kind = MissingKind(d.pop("kind"))

        tenant = UUID(d.pop("tenant"))

        url = d.pop("url", UNSET)

        missing = cls(
            fix=fix,
            kind=kind,
            tenant=tenant,
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
