from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateTarget")


@_attrs_define
class CreateTarget:
    """Where the events go.

    Attributes:
        database (str): The database's resource id. Example:
            /subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-
            adx/providers/Microsoft.Kusto/clusters/adx1/databases/telemetry.
        table (str | Unset): The table; without one, each event must name its own. Example: Events.
        mapping (str | Unset): The ingestion mapping of that table. Example: EventsMapping.
        data_format (str | Unset): The format of the events, in any case. Example: JSON.
    """

    database: str
    table: str | Unset = UNSET
    mapping: str | Unset = UNSET
    data_format: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        database = self.database

        table = self.table

        mapping = self.mapping

        data_format = self.data_format

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "database": database,
            }
        )
        if table is not UNSET:
            field_dict["table"] = table
        if mapping is not UNSET:
            field_dict["mapping"] = mapping
        if data_format is not UNSET:
            field_dict["dataFormat"] = data_format

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        database = d.pop("database")

        table = d.pop("table", UNSET)

        mapping = d.pop("mapping", UNSET)

        data_format = d.pop("dataFormat", UNSET)

        create_target = cls(
            database=database,
            table=table,
            mapping=mapping,
            data_format=data_format,
        )

        return create_target
