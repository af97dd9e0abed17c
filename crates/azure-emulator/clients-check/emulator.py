"""The emulator as a process of its own, and what its built-in seed holds."""

import base64
import datetime
import json
import pathlib
import subprocess
import time

DOMAIN1 = "11111111-1111-4111-8111-111111111111"
DOMAIN2 = "22222222-2222-4222-8222-222222222222"
DOMAIN3 = "33333333-3333-4333-8333-333333333333"
API = "a0000000-0000-4000-8000-000000000001"
API_SECRET = "tenant-bridge-secret-of-the-emulator"
PORTAL = "a0000000-0000-4000-8000-000000000002"
PORTAL_SECRET = "portal-secret-of-the-emulator"
OTHER_PORTAL = "a0000000-0000-4000-8000-000000000003"
ARM = "https://management.azure.com/.default"
API_SCOPE = f"api://{API}/Connections.ReadWrite"
REDIRECT = "http://localhost:4711"

SUBSCRIPTION1 = "50000000-0000-4000-8000-000000000001"
SUBSCRIPTION2 = "50000000-0000-4000-8000-000000000002"
SUBSCRIPTION3 = "50000000-0000-4000-8000-000000000003"
GROUP, CLUSTER, DATABASE = "rg-adx", "adx1", "telemetry"
GROUP1 = f"/subscriptions/{SUBSCRIPTION1}/resourceGroups/{GROUP}"
GROUP2 = f"/subscriptions/{SUBSCRIPTION2}/resourceGroups/rg-streams"
CLUSTER_ID = f"{GROUP1}/providers/Microsoft.Kusto/clusters/{CLUSTER}"
STORAGE1 = f"{GROUP1}/providers/Microsoft.Storage/storageAccounts/stdomain1"
HUB1 = f"{GROUP1}/providers/Microsoft.EventHub/namespaces/ns-domain1/eventhubs/hub1"
HUB2 = f"{GROUP2}/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub1"

# The service's app gets a role of its own, for credentials without a user.
ROLE_OF_THE_APP = f"""
[[role_assignments]]
principal = "tenant-bridge"
role = "Reader"
scope = "{CLUSTER_ID}"
"""


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
    """The emulator's binary on free ports, with the built-in seed, a certificate of the service's app and a role of it."""

    def __init__(self, binary, folder):
        self.pem_file, self.certificate, self.key, self.thumbprint = make_certificate(folder)
        seed = pathlib.Path(__file__).parent.parent / "seeds" / "how-to.toml"
        credentials = f'certificates = [{{ pem = """{self.certificate}""" }}]\n'
        secret = f'secrets = [{{ value = "{API_SECRET}" }}]\n'
        text = seed.read_text()
        assert text.count(secret) == 1
        (folder / "seed.toml").write_text(text.replace(secret, secret + credentials) + ROLE_OF_THE_APP)
        self.ca, self.log, self.ready = folder / "ca.pem", folder / "emulator.log", folder / "ready.json"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [binary, "--operation-ms=200", "--seed", folder / "seed.toml"]
                + ["--ca-file", self.ca, "--ready-file", self.ready],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.origin, self.arm, self.admin = self.wait()

    def wait(self):
        """Where it listens, without slashes at the end. The file appears whole, when everything stands."""
        for _ in range(400):
            if self.ready.exists():
                told = json.loads(self.ready.read_text())
                return [told[name].rstrip("/") for name in ("entra", "arm", "admin")]
            assert self.process.poll() is None, f"the emulator ended by itself: {self.log.read_text()}"
            time.sleep(0.025)
        self.stop()
        raise AssertionError(f"the emulator does not listen: {self.log.read_text()}")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def authority(self, tenant="domain1.com"):
        return f"{self.origin}/{tenant}"

    def user_token(self, user="acc1@domain1.com", tenant="domain1.com"):
        """A user's token for the service, as its portal would send it."""
        import requests

        body = {"user": user, "tenant": tenant, "app": "portal", "api": "tenant-bridge"}
        body["scopes"] = ["Connections.ReadWrite"]
        reply = requests.post(f"{self.admin}/admin/token", json=body, timeout=10)
        reply.raise_for_status()
        return reply.json()["accessToken"]

    def identity(self):
        """How azure-identity finds this login host and asks no other about it."""
        return {"authority": self.origin, "disable_instance_discovery": True}
