from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.comparison_word import ComparisonWord
from ..models.state import State
from ..types import UNSET, Unset

T = TypeVar("T", bound="RemoveSucceededDetails")


@_attrs_define
class RemoveSucceededDetails:
    """The connection is removed: `remove.succeeded`. Which members are there says how that is known.

    Attributes:
        never_made (bool | Unset): Its create was never sent, so nothing had to be removed.
        database_read (bool | Unset): A read found nothing, while the database could be read.
        replaced_since (bool | Unset): Another data connection has had the name since.
        record_only (bool | Unset): Only the record was closed, and nothing was sent.
        state_before (State | str | Unset): The state of a connection. Later versions may add words: treat one that you
            do not know as a text.

            - `creating`: It is being created at Azure, or waits for that in the queue of its cluster.
            - `active`: It exists, as far as the last read knows: data can flow.
            - `removing`: It is being deleted at Azure, or its deletion was requested and not carried out yet.
            - `removed`: It was deleted, and a read confirmed that, or only its record was closed. Final.
            - `failed`: It was never created: Azure said why, and a read found nothing. Final.
            - `unsettled`: A change may or may not have happened, and no read has decided yet; or Azure holds something else
            under the name.
            - `missing`: It existed, and is gone without this service having removed it.
        comparison (ComparisonWord | str | Unset): How what Azure holds compares with the record. Later versions may add
            words: treat one that you do not know as a text.

            - `same`: It is what is recorded.
            - `differs`: The recorded one, with other settings.
            - `replaced`: Another kind, source or consumer group: another data connection under the same name.
            - `absent`: Nothing is there.
            - `unreadable`: It cannot be read.
        differences (list[str] | Unset): Where it differed, as JSON pointers into the resource.
    """

    never_made: bool | Unset = UNSET
    database_read: bool | Unset = UNSET
    replaced_since: bool | Unset = UNSET
    record_only: bool | Unset = UNSET
    state_before: State | str | Unset = UNSET
    comparison: ComparisonWord | str | Unset = UNSET
    differences: list[str] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        never_made = self.never_made

        database_read = self.database_read

        replaced_since = self.replaced_since

        record_only = self.record_only

        state_before: str | Unset
        if isinstance(self.state_before, Unset):
            state_before = UNSET
        elif isinstance(self.state_before, State):
            state_before = self.state_before.value
        else:
            state_before = self.state_before

        comparison: str | Unset
        if isinstance(self.comparison, Unset):
            comparison = UNSET
        elif isinstance(self.comparison, ComparisonWord):
            comparison = self.comparison.value
        else:
            comparison = self.comparison

        differences: list[str] | Unset = UNSET
        if not isinstance(self.differences, Unset):
            differences = self.differences

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if never_made is not UNSET:
            field_dict["neverMade"] = never_made
        if database_read is not UNSET:
            field_dict["databaseRead"] = database_read
        if replaced_since is not UNSET:
            field_dict["replacedSince"] = replaced_since
        if record_only is not UNSET:
            field_dict["recordOnly"] = record_only
        if state_before is not UNSET:
            field_dict["stateBefore"] = state_before
        if comparison is not UNSET:
            field_dict["comparison"] = comparison
        if differences is not UNSET:
            field_dict["differences"] = differences

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        never_made = d.pop("neverMade", UNSET)

        database_read = d.pop("databaseRead", UNSET)

        replaced_since = d.pop("replacedSince", UNSET)

        record_only = d.pop("recordOnly", UNSET)

        def _parse_state_before(data: object) -> State | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_state_type_0 = State(data)

                return componentsschemas_state_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(State | str | Unset, data)

        state_before = _parse_state_before(d.pop("stateBefore", UNSET))

        def _parse_comparison(data: object) -> ComparisonWord | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_comparison_word_type_0 = ComparisonWord(data)

                return componentsschemas_comparison_word_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ComparisonWord | str | Unset, data)

        comparison = _parse_comparison(d.pop("comparison", UNSET))

        differences = cast(list[str], d.pop("differences", UNSET))

        remove_succeeded_details = cls(
            never_made=never_made,
            database_read=database_read,
            replaced_since=replaced_since,
            record_only=record_only,
            state_before=state_before,
            comparison=comparison,
            differences=differences,
        )

        remove_succeeded_details.additional_properties = d
        return remove_succeeded_details

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
