"""The login host as MSAL and azure-identity for Python see it."""

import urllib.parse

import checks
from browser import sign_in
from checks import check, raises
from emulator import (
    API,
    API_SCOPE,
    API_SECRET,
    ARM,
    DOMAIN1,
    DOMAIN2,
    DOMAIN3,
    OTHER_PORTAL,
    PORTAL,
    PORTAL_SECRET,
    REDIRECT,
    claims_of,
)


def confidential(emulator, client_id, credential, tenant="domain1.com"):
    import msal

    authority = emulator.authority(tenant)
    return msal.ConfidentialClientApplication(
        client_id, authority=authority, client_credential=credential, instance_discovery=False
    )


@check
def msal_exchanges_on_behalf_of_a_user(emulator):
    app = confidential(emulator, API, API_SECRET)
    result = app.acquire_token_on_behalf_of(emulator.user_token(), [ARM])
    token = claims_of(result["access_token"])
    assert (token["tid"], token["appid"], token["scp"]) == (DOMAIN1, API, "user_impersonation"), token
    assert result["refresh_token"] and result["id_token_claims"]["aud"] == API
    (account,) = app.get_accounts()
    assert account["username"] == "acc1@domain1.com"


@check
def msal_exchanges_in_another_tenant(emulator):
    app = confidential(emulator, API, API_SECRET, "domain2.com")
    result = app.acquire_token_on_behalf_of(emulator.user_token("acc3@domain1.com"), [ARM])
    assert claims_of(result["access_token"])["tid"] == DOMAIN2


@check
def msal_gets_an_apps_token_with_a_secret(emulator):
    result = confidential(emulator, API, API_SECRET).acquire_token_for_client([ARM])
    assert claims_of(result["access_token"])["idtyp"] == "app"


@check
def msal_gets_an_apps_token_with_a_certificate_and_its_sha1(emulator):
    credential = {"private_key": emulator.key, "thumbprint": emulator.thumbprint}
    result = confidential(emulator, API, credential).acquire_token_for_client([ARM])
    assert claims_of(result["access_token"])["appidacr"] == "2", result


@check
def msal_gets_an_apps_token_with_a_certificate_and_its_sha256(emulator):
    credential = {"private_key": emulator.key, "public_certificate": emulator.certificate}
    result = confidential(emulator, API, credential).acquire_token_for_client([ARM])
    assert claims_of(result["access_token"])["appidacr"] == "2", result


@check
def msal_is_told_of_a_wrong_secret(emulator):
    result = confidential(emulator, API, "guess").acquire_token_for_client([ARM])
    assert (result["error"], result["error_codes"]) == ("invalid_client", [7000215]), result


@check
def msal_redeems_a_code_and_refreshes(emulator):
    app = confidential(emulator, PORTAL, PORTAL_SECRET)
    flow = app.initiate_auth_code_flow([API_SCOPE], redirect_uri=REDIRECT)
    answer = sign_in(flow["auth_uri"], "acc1@domain1.com")
    result = app.acquire_token_by_auth_code_flow(flow, answer)
    assert result["id_token_claims"]["preferred_username"] == "acc1@domain1.com", result
    assert claims_of(result["access_token"])["scp"] == "Connections.ReadWrite"
    (account,) = app.get_accounts()
    again = app.acquire_token_silent([API_SCOPE], account=account)
    assert again["access_token"] == result["access_token"], "the cache has it"
    fresh = app.acquire_token_silent([API_SCOPE], account=account, force_refresh=True)
    assert fresh["access_token"] != result["access_token"], fresh
    other = app.acquire_token_silent([f"api://{API}/Connections.Read"], account=account)
    assert claims_of(other["access_token"])["scp"] == "Connections.Read", other


@check
def msal_signs_a_guest_in_and_uses_the_refresh_token_in_the_other_tenant(emulator):
    cache_app = confidential(emulator, PORTAL, PORTAL_SECRET)
    flow = cache_app.initiate_auth_code_flow([API_SCOPE], redirect_uri=REDIRECT, response_mode="form_post")
    result = cache_app.acquire_token_by_auth_code_flow(flow, sign_in(flow["auth_uri"], "acc3@domain1.com", "mfa"))
    import msal

    away = msal.ConfidentialClientApplication(
        PORTAL,
        authority=emulator.authority("domain2.com"),
        client_credential=PORTAL_SECRET,
        instance_discovery=False,
        token_cache=cache_app.token_cache,
    )
    (account,) = away.get_accounts()
    token = away.acquire_token_silent([API_SCOPE], account=account)
    assert claims_of(token["access_token"])["tid"] == DOMAIN2, token
    assert claims_of(result["access_token"])["tid"] == DOMAIN1


@check
def msal_as_a_public_client_needs_no_secret(emulator):
    import msal

    app = msal.PublicClientApplication(
        OTHER_PORTAL, authority=emulator.authority("organizations"), instance_discovery=False
    )
    flow = app.initiate_auth_code_flow([API_SCOPE], redirect_uri=REDIRECT)
    result = app.acquire_token_by_auth_code_flow(flow, sign_in(flow["auth_uri"], "acc1@domain1.com"))
    assert claims_of(result["access_token"])["azpacr"] == "0", result


@check
def msal_signs_in_alone_without_any_resource(emulator):
    app = confidential(emulator, PORTAL, PORTAL_SECRET, "common")
    flow = app.initiate_auth_code_flow([], redirect_uri=REDIRECT)
    result = app.acquire_token_by_auth_code_flow(flow, sign_in(flow["auth_uri"], "acc2@domain2.com"))
    assert result["id_token_claims"]["tid"] == DOMAIN2, result


@check
def msal_is_told_when_the_user_declines(emulator):
    app = confidential(emulator, PORTAL, PORTAL_SECRET)
    flow = app.initiate_auth_code_flow([ARM], redirect_uri=REDIRECT)
    result = app.acquire_token_by_auth_code_flow(flow, sign_in(flow["auth_uri"], "acc1@domain1.com", consent=False))
    assert result["error"] == "access_denied", result


@check
def msal_gets_what_the_user_has_consented_to(emulator):
    app = confidential(emulator, PORTAL, PORTAL_SECRET)
    flow = app.initiate_auth_code_flow([ARM], redirect_uri=REDIRECT)
    result = app.acquire_token_by_auth_code_flow(flow, sign_in(flow["auth_uri"], "acc4@domain1.com"))
    assert claims_of(result["access_token"])["scp"] == "user_impersonation", result


@check
def msal_signs_in_anew_for_a_claims_challenge(emulator):
    challenge = '{"access_token":{"acrs":{"essential":true,"values":["p1"]}}}'
    app = confidential(emulator, API, API_SECRET)
    portal = confidential(emulator, PORTAL, PORTAL_SECRET)
    flow = portal.initiate_auth_code_flow([API_SCOPE], redirect_uri=REDIRECT, claims_challenge=challenge)
    signed_in = portal.acquire_token_by_auth_code_flow(flow, sign_in(flow["auth_uri"], "acc1@domain1.com", "mfa"))
    result = app.acquire_token_on_behalf_of(signed_in["access_token"], [ARM], claims_challenge=challenge)
    token = claims_of(result["access_token"])
    assert (token["acrs"], token["amr"]) == (["p1"], ["pwd", "mfa"]), token


@check
def azure_identity_exchanges_on_behalf_of_a_user_and_refreshes(emulator):
    from azure.identity import OnBehalfOfCredential

    credential = OnBehalfOfCredential(
        DOMAIN1, API, client_secret=API_SECRET, user_assertion=emulator.user_token(), **emulator.identity()
    )
    first = claims_of(credential.get_token(ARM).token)
    second = claims_of(credential.get_token(ARM, claims='{"access_token":{"nbf":{"essential":true}}}').token)
    assert (first["upn"], second["upn"]) == ("acc1@domain1.com",) * 2
    assert first["uti"] != second["uti"]


@check
def azure_identity_exchanges_with_a_certificate(emulator):
    from azure.identity import OnBehalfOfCredential

    pem = emulator.pem_file.read_bytes()
    credential = OnBehalfOfCredential(
        DOMAIN1, API, client_certificate=pem, user_assertion=emulator.user_token(), **emulator.identity()
    )
    assert claims_of(credential.get_token(ARM).token)["appidacr"] == "2"


@check
def azure_identity_gets_an_apps_token_with_a_secret(emulator):
    from azure.identity import ClientSecretCredential

    credential = ClientSecretCredential(DOMAIN2, API, API_SECRET, **emulator.identity())
    assert claims_of(credential.get_token(ARM).token)["tid"] == DOMAIN2


@check
def azure_identity_gets_an_apps_token_with_a_certificate(emulator):
    from azure.identity import CertificateCredential

    for chain in (False, True):
        credential = CertificateCredential(
            DOMAIN1, API, str(emulator.pem_file), send_certificate_chain=chain, **emulator.identity()
        )
        assert claims_of(credential.get_token(ARM).token)["appidacr"] == "2"


@check
def azure_identity_redeems_a_code(emulator):
    from azure.identity import AuthorizationCodeCredential

    query = {
        "client_id": PORTAL,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": f"{API_SCOPE} offline_access",
    }
    url = f"{emulator.authority()}/oauth2/v2.0/authorize?{urllib.parse.urlencode(query)}"
    code = sign_in(url, "acc1@domain1.com")["code"]
    credential = AuthorizationCodeCredential(
        DOMAIN1, PORTAL, code, REDIRECT, client_secret=PORTAL_SECRET, **emulator.identity()
    )
    assert claims_of(credential.get_token(API_SCOPE).token)["scp"] == "Connections.ReadWrite"


@check
def msal_is_told_of_missing_consent(emulator):
    app = confidential(emulator, API, API_SECRET, "domain3.com")
    result = app.acquire_token_on_behalf_of(emulator.user_token("acc3@domain1.com"), [ARM])
    assert (result["error"], result["error_codes"]) == ("invalid_grant", [65001]), result
    assert result["suberror"] == "consent_required" and result["trace_id"] and result["correlation_id"], result


@check
def azure_identity_is_told_of_a_wrong_secret(emulator):
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import ClientSecretCredential

    credential = ClientSecretCredential(DOMAIN1, API, "guess", **emulator.identity())
    error = raises(ClientAuthenticationError, credential.get_token, ARM)
    assert "AADSTS7000215" in error.message, error.message


@check
def azure_identity_is_told_of_missing_consent(emulator):
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import OnBehalfOfCredential

    token = emulator.user_token("acc3@domain1.com")
    credential = OnBehalfOfCredential(
        DOMAIN3, API, client_secret=API_SECRET, user_assertion=token, **emulator.identity()
    )
    error = raises(ClientAuthenticationError, credential.get_token, ARM)
    assert "AADSTS65001" in error.message, error.message


if __name__ == "__main__":
    checks.main()
