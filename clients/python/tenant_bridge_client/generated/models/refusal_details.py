from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.problem_code import ProblemCode
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.missing_access import MissingAccess
    from ..models.upstream import Upstream


T = TypeVar("T", bound="RefusalDetails")


@_attrs_define
class RefusalDetails:
    """Why a request was refused before anything was sent: `create.refused`, `remove.refused`, `continue.refused`.

    Attributes:
        code (ProblemCode | str): The kind of problem in one word; stable. The header `x-ms-error-code` repeats it.
            Later versions may add words: treat one that you do not know as a text.

            - `invalidRequest`: The request is no JSON of the expected form; `errors` names the places.
            - `unauthenticated`: There is no user token.
            - `invalidToken`: A user token is not accepted.
            - `claimsChallenge`: Entra or Azure wants the user to prove more than the token says; the challenge is in `WWW-
            Authenticate`. An app that has not declared that it takes challenges gets `accessMissing` instead.
            - `auxiliaryTokens`: The auxiliary tokens don't fit the request.
            - `insufficientScope`: The token lacks the scope of the call.
            - `tenantNotAllowed`: A tenant is not allowed on its side of a connection.
            - `accessMissing`: Tokens, roles or consents are missing; `missing` names them.
            - `referenceNotFound`: A resource that the request names is not there; `errors` names them.
            - `nameTaken`: Azure already has a data connection of this name.
            - `connectionExists`: The connection exists and was not made by this request.
            - `changeInProgress`: Another change of the connection is running.
            - `requestHashMissing`: The operation is another person's: to continue it, its request's hash is required.
            - `requestHashDiffers`: The hash is not that of the operation's request.
            - `idempotencyKeyReused`: The `Idempotency-Key` was used for another request.
            - `notFound`: There is no such thing, or not for this caller.
            - `feedRestarted`: The feed was begun anew after the cursor was given: positions that were given may have been
            lost.
            - `preconditionFailed`: A condition of the request (RFC 9110, section 13) does not hold, or can't be evaluated;
            nothing was changed.
            - `methodNotAllowed`: The path exists, but not with this method.
            - `requestTimeout`: The body did not come in time; nothing was done.
            - `tooManyRequests`: The caller asks more often than one may, or has as many changes waiting as one may; nothing
            was done. `RateLimit-Policy` names the limit.
            - `payloadTooLarge`: The body is too large.
            - `headersTooLarge`: The headers are too large together.
            - `unsupportedMediaType`: The body is not JSON, or is compressed.
            - `timeout`: The service did not finish in time; nothing was changed by this request.
            - `overloaded`: The service processes too many requests; nothing was done.
            - `upstreamUnavailable`: Entra or Azure is out of reach, throttles or fails.
            - `upstreamRefused`: Entra or Azure answered what it never should, or this service is not set up right there.
            - `databaseUnavailable`: The database is out of reach, so nothing can be recorded, so nothing is done.
            - `internal`: A defect of this service.
            - `azureFailed`: Azure took the change and then reported that it failed.
            - `azureRefused`: Azure refused the change.
            - `createFailed`: The connection could not be created; nothing of it is at Azure unless `cause` says otherwise.
            `cause` is the code of the operation's failure, `remedy` what fixes it. A request with a new key, or without
            one, tries again.
            - `removeFailed`: The connection could not be removed; `cause` is the code of the operation's failure, `remedy`
            what fixes it.
            - `notSent`: The change was never made: it did not reach Azure.
            - `parentMissing`: The parent database is gone, so that the absence of the data connection proves nothing.
            - `drifted`: What is at Azure is not what is recorded; `comparison` says how, and the connection's `found` what
            it is.
            - `contested`: Azure processed a create as an update: it replaced what another person had created.
            - `stillPresent`: The record alone was to be closed, but what it records is still at Azure.
        arm_id (str | Unset): The data connection's resource id in lower case; absent if the request could not be read.
        missing (list[MissingAccess] | Unset): The access that was missing.
        pointers (list[str] | Unset): The members of the request that were wrong, as JSON pointers or names of headers
            and parameters, at most 20; never their values.
        upstream (Upstream | Unset): An answer of Entra or Azure Resource Manager that a problem or failure goes back
            to.
        left_out_before (int | Unset): How many refusals of the same person were not recorded before this one, because
            there were too many.
    """

    code: ProblemCode | str
    arm_id: str | Unset = UNSET
    missing: list[MissingAccess] | Unset = UNSET
    pointers: list[str] | Unset = UNSET
    upstream: Upstream | Unset = UNSET
    left_out_before: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code: str
        if isinstance(self.code, ProblemCode):
            code = self.code.value
        else:
            code = self.code

        arm_id = self.arm_id

        missing: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.missing, Unset):
            missing = []
            for missing_item_data in self.missing:
                missing_item = missing_item_data.to_dict()
                missing.append(missing_item)

        pointers: list[str] | Unset = UNSET
        if not isinstance(self.pointers, Unset):
            pointers = self.pointers

        upstream: dict[str, Any] | Unset = UNSET
        if not isinstance(self.upstream, Unset):
            upstream = self.upstream.to_dict()

        left_out_before = self.left_out_before

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
            }
        )
        if arm_id is not UNSET:
            field_dict["armId"] = arm_id
        if missing is not UNSET:
            field_dict["missing"] = missing
        if pointers is not UNSET:
            field_dict["pointers"] = pointers
        if upstream is not UNSET:
            field_dict["upstream"] = upstream
        if left_out_before is not UNSET:
            field_dict["leftOutBefore"] = left_out_before

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.missing_access import MissingAccess
        from ..models.upstream import Upstream

        d = dict(src_dict)

        def _parse_code(data: object) -> ProblemCode | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_problem_code_type_0 = ProblemCode(data)

                return componentsschemas_problem_code_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ProblemCode | str, data)

        code = _parse_code(d.pop("code"))

        arm_id = d.pop("armId", UNSET)

        _missing = d.pop("missing", UNSET)
        missing: list[MissingAccess] | Unset = UNSET
        if _missing is not UNSET:
            missing = []
            for missing_item_data in _missing:
                missing_item = MissingAccess.from_dict(missing_item_data)

                missing.append(missing_item)

        pointers = cast(list[str], d.pop("pointers", UNSET))

        _upstream = d.pop("upstream", UNSET)
        upstream: Upstream | Unset
        if isinstance(_upstream, Unset):
            upstream = UNSET
        else:
            upstream = Upstream.from_dict(_upstream)

        left_out_before = d.pop("leftOutBefore", UNSET)

        refusal_details = cls(
            code=code,
            arm_id=arm_id,
            missing=missing,
            pointers=pointers,
            upstream=upstream,
            left_out_before=left_out_before,
        )

        refusal_details.additional_properties = d
        return refusal_details

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
