"""Detached PKCS#7 signatures, as ЕСИА wants them in place of a client secret.

ЕСИА takes GOST R 34.10-2012, which needs a certified program: a command that reads what is to
be signed and writes the signature. A signature by RSA is made here, for test environments.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7
from cryptography.x509 import load_pem_x509_certificate

from fhir_server.web.upstream.provider import UpstreamError

Sign = Callable[[bytes], Awaitable[bytes]]
"""Gives the signature in DER."""

SECONDS: Final = 10.0


def by_command(command: Sequence[str]) -> Sign:
    """Signatures of a program: the data on its input, DER on its output."""

    async def sign(data: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(SECONDS):
                signature, _ = await process.communicate(data)
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise UpstreamError("the signing program does not answer") from error
        if process.returncode != 0 or not signature:
            raise UpstreamError("the signing program failed")
        return signature

    return sign


def by_rsa(certificate: Path, key: Path) -> Sign:
    """Signatures by an RSA key; both files are PEM."""
    known = load_pem_x509_certificate(certificate.read_bytes())
    private = load_pem_private_key(key.read_bytes(), None)
    if not isinstance(private, RSAPrivateKey):
        raise TypeError(key)
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]

    async def sign(data: bytes) -> bytes:
        builder = pkcs7.PKCS7SignatureBuilder().set_data(data)
        signing = builder.add_signer(known, private, SHA256())
        return await asyncio.to_thread(signing.sign, Encoding.DER, options)

    return sign
