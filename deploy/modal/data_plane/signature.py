"""Signatures of requests: who asks, over exactly what, how fresh, and only once."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

SCHEME = "HMAC-SHA256"
ALLOWED_SKEW_SECONDS = 300
LONGEST_HEADER = 512

_HEADER = re.compile(
    r"HMAC-SHA256 (?=[^ ]*\bkeyId=)(?=[^ ]*\bts=)(?=[^ ]*\bnonce=)(?=[^ ]*\bsig=)"
    r"(?P<fields>[A-Za-z]+=[A-Za-z0-9._-]+(?:,[A-Za-z]+=[A-Za-z0-9._-]+){3})"
)
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NONCE = re.compile(r"[A-Za-z0-9._-]{16,64}")
_TIMESTAMP = re.compile(r"[0-9]{1,18}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SignedRequest:
    """What a signature covers. The target is path and query as they stand in the request's first line."""

    method: str
    target: str
    body: bytes


@dataclass(frozen=True)
class Signature:
    """The four fields of the ``Authorization`` header."""

    key_id: str
    timestamp: int
    nonce: str
    hexadecimal: str

    def __str__(self) -> str:
        return f"{SCHEME} keyId={self.key_id},ts={self.timestamp},nonce={self.nonce},sig={self.hexadecimal}"


@dataclass(frozen=True)
class Refusal:
    """Why a request is not let in; nothing has been done."""

    code: str
    detail: str


class NonceBook(Protocol):
    """Remembers nonces for as long as a request that carries one may be fresh, for all processes that serve."""

    def take(self, key_id: str, nonce: str, timestamp: int) -> bool:
        """True the first time, False ever after."""
        ...


def sign(secret: str, request: SignedRequest, timestamp: int, nonce: str) -> str:
    """The lower-case hex of the HMAC over method, target, time, nonce and the body's hash."""
    body = hashlib.sha256(request.body).hexdigest()
    text = f"{request.method}\n{request.target}\n{timestamp}\n{nonce}\n{body}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def parse(header: str | None) -> Signature | None:
    """Reads the header's value; None for anything that is not exactly of the form."""
    if header is None or len(header) > LONGEST_HEADER:
        return None
    match = _HEADER.fullmatch(header)
    if match is None:
        return None
    fields = dict(field.split("=", 1) for field in match["fields"].split(","))
    if set(fields) != {"keyId", "ts", "nonce", "sig"}:
        return None
    well_formed = (
        _KEY_ID.fullmatch(fields["keyId"])
        and _TIMESTAMP.fullmatch(fields["ts"])
        and _NONCE.fullmatch(fields["nonce"])
        and _SIGNATURE.fullmatch(fields["sig"])
    )
    return Signature(fields["keyId"], int(fields["ts"]), fields["nonce"], fields["sig"]) if well_formed else None


class Verifier:
    """Lets in what is signed with a known key, fresh, for the first time, over this very request."""

    def __init__(self, secrets: Mapping[str, str], nonces: NonceBook, now: Callable[[], float]) -> None:
        self._secrets = secrets
        self._nonces = nonces
        self._now = now

    def refuse(self, header: str | None, request: SignedRequest) -> Refusal | None:
        """None when the request is let in; its nonce is used up then."""
        signature = parse(header)
        if signature is None:
            return Refusal("signature_missing", f"Sign the request: 'Authorization: {SCHEME} keyId=…,ts=…,nonce=…,sig=…' (docs/protocol.md, Data plane).")
        secret = self._secrets.get(signature.key_id)
        if secret is None:
            return Refusal("key_unknown", f"No key '{signature.key_id}' is configured here.")
        if not hmac.compare_digest(sign(secret, request, signature.timestamp, signature.nonce), signature.hexadecimal):
            return Refusal("signature_invalid", "The signature is not that of this method, path, query, time, nonce and body under the key it names.")
        apart = int(self._now()) - signature.timestamp
        if abs(apart) > ALLOWED_SKEW_SECONDS:
            side = "before" if apart > 0 else "after"
            return Refusal("request_out_of_time", f"The request was signed {abs(apart)} seconds {side} the time here; at most {ALLOWED_SKEW_SECONDS} are allowed. Check both clocks.")
        if not self._nonces.take(signature.key_id, signature.nonce, signature.timestamp):
            return Refusal("nonce_replayed", "This very request was received before; a repeated one needs a nonce of its own.")
        return None
