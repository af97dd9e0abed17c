from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast
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
        kind (MissingKind | str): What kind of access is missing. Later versions may add words: treat one that you do
            not know as a text.

            - `token`: A user token of that tenant.
            - `role`: A role on a resource.
            - `consent`: An administrator's consent to this service in that tenant.
            - `membership`: The user is neither member nor guest of that tenant.
            - `permission`: The tenant's policies do not let the user in, or not with this sign-in.
        fix (str): What to do, by whom.
        url (str | Unset): Where to do it.
    """

    tenant: UUID
    kind: MissingKind | str
    fix: str
    url: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tenant = str(self.tenant)

        kind: str
        if isinstance(self.kind, MissingKind):
            kind = self.kind.value
        else:
            kind = self.kind

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

        def _parse_kind(data: object) -> MissingKind | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_missing_kind_type_0 = MissingKind(data)

                return componentsschemas_missing_kind_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(MissingKind | str, data)

        kind = _parse_kind(d.pop("kind"))

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
