"""The certificate with which the recycler speaks TLS, for the one client that insists on it."""

import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tandem.market import RecyclerError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

FOLDER: Final = "tls"
NAMES: Final = ("localhost",)
ADDRESSES: Final = ("127.0.0.1", "::1")
LIFE: Final = timedelta(days=3 * 365)
RENEWED_BEFORE: Final = timedelta(days=30)
OWNER_ONLY: Final = 0o600


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, in PEM files.

    Attributes:
        file: what clients are told to trust.
        key: nobody else's business.
    """

    file: Path
    key: Path

    @classmethod
    def given(cls, file: Path, key: Path) -> Self:
        """The user's own.

        Raises:
            RecyclerError: they cannot be read, or do not belong together.
        """
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, key)
        except (OSError, ssl.SSLError) as error:
            raise RecyclerError(
                f"{file} and {key} are no certificate with its key: {error}", "Both are PEM files."
            ) from error
        return cls(file, key)

    @classmethod
    def self_signed(cls, home: Path, now: datetime) -> Self:
        """One for this machine's loopback, kept under `home`; made where there is none, or it is about to end."""
        folder = home / FOLDER
        found = cls(folder / "recycler.pem", folder / "recycler-key.pem")
        if not found._is_good(now):
            folder.mkdir(parents=True, exist_ok=True)
            found._make(now)
        return found

    def _is_good(self, now: datetime) -> bool:
        from cryptography import x509

        if not (self.file.exists() and self.key.exists()):
            return False
        try:
            type(self).given(self.file, self.key)
            ends = x509.load_pem_x509_certificate(self.file.read_bytes()).not_valid_after_utc
        except (RecyclerError, ValueError):
            return False
        return now + RENEWED_BEFORE < ends

    def _make(self, now: datetime) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key = ec.generate_private_key(ec.SECP256R1())
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(self.key, secret)
        _write(self.file, _signed(key, now).public_bytes(Encoding.PEM))


def _signed(key: "EllipticCurvePrivateKey", now: datetime) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tandem recycler on this machine")])
    hosts = [*map(x509.DNSName, NAMES), *(x509.IPAddress(ip_address(address)) for address in ADDRESSES)]
    public = key.public_key()
    builder = (
        x509.CertificateBuilder(name, name, public, x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    return builder.sign(key, SHA256())


def _usage() -> "x509.KeyUsage":
    from cryptography import x509

    purposes = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    others = ("crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**dict.fromkeys([*purposes[1:], *others], False), digital_signature=True, key_cert_sign=True)


def _write(file: Path, content: bytes) -> None:
    fresh = file.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as opened:
        opened.write(content)
    fresh.replace(file)
