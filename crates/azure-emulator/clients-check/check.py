#!/usr/bin/env python3
"""Drives the emulator's login host with Microsoft's own Python libraries, unmodified.

    check.py PATH-OF-THE-EMULATOR'S-BINARY

Needs the packages of requirements.txt. Starts the emulator on free ports with the built-in seed and a certificate
registered on it, and ends it. The last line tells how many checks passed and failed.
"""

import base64
import contextlib
import datetime
import html.parser
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

DOMAIN1 = "11111111-1111-4111-8111-111111111111"
DOMAIN2 = "22222222-2222-4222-8222-222222222222"
API = "a0000000-0000-4000-8000-000000000001"
API_SECRET = "tenant-bridge-secret-of-the-emulator"
PORTAL = "a0000000-0000-4000-8000-000000000002"
PORTAL_SECRET = "portal-secret-of-the-emulator"
OTHER_PORTAL = "a0000000-0000-4000-8000-000000000003"
ARM = "https://management.azure.com/.default"
API_SCOPE = f"api://{API}/Connections.ReadWrite"
REDIRECT = "http://localhost:4711"

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def free_port():
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def make_certificate(folder):
    """An RSA key and a self-signed certificate for it: (path of both as PEM, certificate, key, SHA-1 in hex)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tenant-bridge")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    certificate = builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    certificate_pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    path = folder / "client.pem"
    path.write_text(key_pem + certificate_pem)
    return path, certificate_pem, key_pem, certificate.fingerprint(hashes.SHA1()).hex()


class Emulator:
    """The emulator's binary with the built-in seed, a certificate and a federated credential added."""

    def __init__(self, binary, folder):
        self.pem_file, self.certificate, self.key, self.thumbprint = make_certificate(folder)
        self.port, arm, self.admin = free_port(), free_port(), free_port()
        self.origin = f"https://localhost:{self.port}"
        self.ca = folder / "ca.pem"
        seed = pathlib.Path(__file__).parent.parent / "seeds" / "how-to.toml"
        credentials = f'certificates = [{{ pem = """{self.certificate}""" }}]\n'
        secret = f'secrets = [{{ value = "{API_SECRET}" }}]\n'
        text = seed.read_text()
        assert text.count(secret) == 1
        (folder / "seed.toml").write_text(text.replace(secret, secret + credentials))
        self.process = subprocess.Popen(
            [binary, "--seed", folder / "seed.toml", "--ca-file", self.ca]
            + [f"--entra-port={self.port}", f"--arm-port={arm}", f"--admin-port={self.admin}"],
            stdout=subprocess.DEVNULL,
            env={**os.environ, "RUST_LOG": "warn"},
        )

    def wait(self):
        for _ in range(200):
            with contextlib.suppress(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", self.port))):
                if self.ca.exists():
                    return
            assert self.process.poll() is None, "the emulator ended by itself"
            time.sleep(0.05)
        raise AssertionError("the emulator does not listen")

    def authority(self, tenant="domain1.com"):
        return f"{self.origin}/{tenant}"

    def user_token(self, user="acc1@domain1.com", tenant="domain1.com"):
        import requests

        body = {"user": user, "tenant": tenant, "app": "portal", "api": "tenant-bridge"}
        body["scopes"] = ["Connections.ReadWrite"]
        reply = requests.post(f"https://localhost:{self.admin}/admin/token", json=body, timeout=10)
        reply.raise_for_status()
        return reply.json()["accessToken"]


class Page(html.parser.HTMLParser):
    """The form of a page: where it goes, its hidden fields, its buttons."""

    def __init__(self, text):
        super().__init__()
        self.action, self.fields, self.buttons = None, {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        elif tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"]] = attributes["value"]
        elif tag == "button" and "name" in attributes:
            self.buttons.append((attributes["name"], attributes["value"]))


def sign_in(url, account, method="pwd", consent=True):
    """Walks the pages as a browser does; gives the parameters that the app gets."""
    import requests

    with requests.Session() as browser:
        reply = browser.get(url, allow_redirects=False, timeout=10)
        for _ in range(3):
            if reply.status_code == 302:
                answer = urllib.parse.urlsplit(reply.headers["location"])
                return dict(urllib.parse.parse_qsl(answer.query or answer.fragment))
            page = Page(reply.text)
            fields = dict(page.fields)
            if ("account", account) in page.buttons:
                fields |= {"account": account, "method": method}
            elif page.action and not page.action.startswith("/"):
                return fields
            else:
                fields["decision"] = "accept" if consent else "cancel"
            action = urllib.parse.urljoin(url, page.action)
            reply = browser.post(action, data=fields, allow_redirects=False, timeout=10)
    raise AssertionError(f"no way through: {reply.status_code} {reply.text}")


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


def identity(emulator):
    return {"authority": emulator.origin, "disable_instance_discovery": True}


@check
def azure_identity_exchanges_on_behalf_of_a_user_and_refreshes(emulator):
    from azure.identity import OnBehalfOfCredential

    credential = OnBehalfOfCredential(
        DOMAIN1, API, client_secret=API_SECRET, user_assertion=emulator.user_token(), **identity(emulator)
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
        DOMAIN1, API, client_certificate=pem, user_assertion=emulator.user_token(), **identity(emulator)
    )
    assert claims_of(credential.get_token(ARM).token)["appidacr"] == "2"


@check
def azure_identity_gets_an_apps_token_with_a_secret(emulator):
    from azure.identity import ClientSecretCredential

    credential = ClientSecretCredential(DOMAIN2, API, API_SECRET, **identity(emulator))
    assert claims_of(credential.get_token(ARM).token)["tid"] == DOMAIN2


@check
def azure_identity_gets_an_apps_token_with_a_certificate(emulator):
    from azure.identity import CertificateCredential

    for chain in (False, True):
        credential = CertificateCredential(
            DOMAIN1, API, str(emulator.pem_file), send_certificate_chain=chain, **identity(emulator)
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
        DOMAIN1, PORTAL, code, REDIRECT, client_secret=PORTAL_SECRET, **identity(emulator)
    )
    assert claims_of(credential.get_token(API_SCOPE).token)["scp"] == "Connections.ReadWrite"


def main():
    binary = sys.argv[1]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        emulator = Emulator(binary, pathlib.Path(folder))
        os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(emulator.ca)
        os.environ["NO_PROXY"] = "localhost,127.0.0.1"
        try:
            emulator.wait()
            for function in CHECKS:
                try:
                    function(emulator)
                    print(f"ok      {function.__name__}")
                except Exception:
                    failed += 1
                    print(f"FAILED  {function.__name__}")
                    traceback.print_exc(file=sys.stdout)
        finally:
            emulator.process.terminate()
            emulator.process.wait()
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
