# SPDX-License-Identifier: MIT
"""Certificates of every kind, good and bad, made while the tests run."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def new_key(kind="ec"):
    """@kind: ec, or the bits of RSA."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, kind)


def general_name(text):
    """"URI:spiffe://…", "email:…", "IP:…", or a DNS name."""
    kind, _, value = text.partition(":")
    kinds = {"URI": x509.UniformResourceIdentifier, "email": x509.RFC822Name}
    if kind == "IP":
        return x509.IPAddress(ipaddress.ip_address(value))
    return kinds[kind](value) if kind in kinds else x509.DNSName(text)


class Certificate:
    """A certificate with its key, in files. @issuer None: it vouches for itself, as a CA."""

    def __init__(self, folder, name, issuer=None, names=(), kind="ec", days=(-1, 30), ca=False):
        self.key = new_key(kind)
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name if issuer else self.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca or not issuer, None), critical=True)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([general_name(one) for one in names]), False
            )
        self.x509 = builder.sign(issuer.key if issuer else self.key, hashes.SHA256())
        self.pem = self.x509.public_bytes(serialization.Encoding.PEM)
        self.der = self.x509.public_bytes(serialization.Encoding.DER)
        self.key_pem = self.key_in_pem(serialization.NoEncryption())
        self.file = folder / f"{name}.crt"
        self.key_file = folder / f"{name}.key"
        self.write()

    def key_in_pem(self, encryption):
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(pem, pkcs8, encryption)

    def write(self, certificate=None, key=None):
        """Into the files, another's where told: for a reload."""
        self.file.write_bytes((certificate or self).pem)
        self.key_file.write_bytes((key or certificate or self).key_pem)
