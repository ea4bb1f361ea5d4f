"""The signature against the vectors that the adapter's tests use too, and the verifier's refusals."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any

from data_plane.memory import MemoryNonces
from data_plane.signature import SignedRequest, Verifier, parse, sign

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent.parent / "signature_vectors.json").read_text(encoding="utf-8"))
SIGNED_AT = 1767323045


def request_of(vector: dict[str, Any]) -> SignedRequest:
    return SignedRequest(vector["method"], vector["target"], vector["body"].encode())


def verifier(now: float, **secrets: str) -> Verifier:
    return Verifier(secrets, MemoryNonces(lambda: now), lambda: now)


class SignatureTests(unittest.TestCase):
    def test_every_vector_is_signed_as_written(self) -> None:
        for vector in VECTORS["signed"]:
            with self.subTest(vector["name"]):
                signature = parse(vector["authorization"])
                assert signature is not None
                self.assertEqual(sign(vector["secret"], request_of(vector), vector["timestamp"], vector["nonce"]), signature.hexadecimal)
                self.assertEqual(str(signature), vector["authorization"])
                self.assertIsNone(Verifier({vector["keyId"]: vector["secret"]}, MemoryNonces(lambda: SIGNED_AT), lambda: SIGNED_AT).refuse(vector["authorization"], request_of(vector)))

    def test_every_broken_vector_is_refused_by_its_name(self) -> None:
        for vector in VECTORS["refused"]:
            with self.subTest(vector["name"]):
                refusal = verifier(SIGNED_AT, main=vector["secret"]).refuse(vector["authorization"], request_of(vector))
                assert refusal is not None
                self.assertEqual(refusal.code, vector["code"])

    def test_a_request_is_let_in_once(self) -> None:
        vector = VECTORS["signed"][1]
        gate = verifier(SIGNED_AT, main=vector["secret"])
        self.assertIsNone(gate.refuse(vector["authorization"], request_of(vector)))
        refusal = gate.refuse(vector["authorization"], request_of(vector))
        assert refusal is not None
        self.assertEqual(refusal.code, "nonce_replayed")

    def test_the_clocks_may_be_five_minutes_apart_and_no_more(self) -> None:
        vector = VECTORS["signed"][1]
        for apart, allowed in ((300, True), (-300, True), (301, False), (-301, False)):
            with self.subTest(apart):
                refusal = verifier(SIGNED_AT + apart, main=vector["secret"]).refuse(vector["authorization"], request_of(vector))
                self.assertEqual(refusal is None, allowed)
                if refusal is not None:
                    self.assertEqual(refusal.code, "request_out_of_time")
                    self.assertIn("301 seconds", refusal.detail)

    def test_two_keys_are_good_during_a_rotation(self) -> None:
        gate = Verifier({"main": VECTORS["signed"][0]["secret"], "next-2": VECTORS["signed"][4]["secret"]}, MemoryNonces(lambda: SIGNED_AT), lambda: SIGNED_AT)
        for vector in (VECTORS["signed"][0], VECTORS["signed"][4]):
            self.assertIsNone(gate.refuse(vector["authorization"], request_of(vector)))


if __name__ == "__main__":
    unittest.main()
