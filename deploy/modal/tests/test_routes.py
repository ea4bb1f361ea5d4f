"""The routes over the backend in memory: what the adapter relies on."""

from __future__ import annotations

import asyncio
import json
import time
import unittest
from collections.abc import Callable, Mapping
from typing import Any

from data_plane.memory import MemoryBackend, MemoryNonces
from data_plane.routes import Answer, DataPlane, asgi
from data_plane.signature import Signature, SignedRequest, Verifier, sign

SECRET = "0123456789abcdef0123456789abcdef"


def create(name: str = "box_1", session: str = "ses_1", generation: int = 1, **more: Any) -> dict[str, Any]:
    labels = {"coordinator.sandbox": name, "coordinator.session": session, "coordinator.generation": str(generation), "coordinator.deployment": "here"}
    return {
        "idempotencyKey": name,
        "name": name,
        "image": None,
        "agent": "agent",
        "resources": {"memoryBytes": 1, "processes": 1, "cpus": 1, "diskBytes": 1},
        "env": {},
        "bridge": {"url": "https://example.org", "token": "sb_x", "organization": "org_1", "session": session, "generation": generation},
        "ttlSeconds": 60,
        "labels": labels,
        **more,
    }


class RouteTests(unittest.TestCase):
    def setUp(self) -> None:
        self.plane = DataPlane(MemoryBackend(), Verifier({"main": SECRET}, MemoryNonces(), time.time))
        self.count = 0

    def authorization(self, method: str, target: str, body: bytes) -> str:
        self.count += 1
        (now, nonce) = (int(time.time()), f"nonce-{self.count:020}")
        return str(Signature("main", now, nonce, sign(SECRET, SignedRequest(method, target, body), now, nonce)))

    def ask(self, method: str, target: str, value: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        body = b"" if value is None else json.dumps(value).encode()
        answer = self.plane.handle(method, target, self.authorization(method, target, body), body)
        return answer.status, answer.body

    def test_a_create_is_idempotent_by_its_key(self) -> None:
        first = self.ask("POST", "/sandboxes", create())
        self.assertEqual(first, self.ask("POST", "/sandboxes", create()))
        self.assertEqual(1, len(self.ask("GET", "/sandboxes")[1]["items"]))
        self.assertEqual((422, "sandbox_rejected"), self.code(self.ask("POST", "/sandboxes", create(name="box_2", idempotencyKey="box_1"))))

    def test_a_destroyed_box_is_not_made_again_by_a_late_create(self) -> None:
        box = self.ask("POST", "/sandboxes", create())[1]["id"]
        self.assertEqual(204, self.ask("DELETE", f"/sandboxes/{box}?keepData=false")[0])
        self.assertEqual(204, self.ask("DELETE", f"/sandboxes/{box}?keepData=false")[0])
        self.assertEqual((422, "sandbox_rejected"), self.code(self.ask("POST", "/sandboxes", create())))
        self.assertEqual((404, "sandbox_not_found"), self.code(self.ask("GET", f"/sandboxes/{box}")))

    def test_a_listing_holds_only_boxes_with_all_of_the_labels(self) -> None:
        self.ask("POST", "/sandboxes", create())
        self.ask("POST", "/sandboxes", create(name="box_2", session="ses_2"))
        items = self.ask("GET", "/sandboxes?label=coordinator.deployment%3Dhere&label=coordinator.session%3Dses_2")[1]["items"]
        self.assertEqual(["sb-box_2"], [item["id"] for item in items])

    def test_another_nodes_request_is_misdirected(self) -> None:
        self.assertEqual((421, "wrong_node"), self.code(self.ask("DELETE", "/sandboxes/x?node=other&keepData=true")))

    def test_everything_wrong_with_a_create_is_said_at_once(self) -> None:
        status, problem = self.ask("POST", "/sandboxes", {"name": "box_1"})
        self.assertEqual(422, status)
        for wanted in ("idempotencyKey", "resources must be", "bridge must be", "labels must be", "ttlSeconds"):
            self.assertIn(wanted, problem["detail"])

    def test_a_box_that_must_be_able_to_do_what_it_cannot_here_is_not_made(self) -> None:
        refused = self.ask("POST", "/sandboxes", create(requires=["KeepsData", "EnforcesEgress"]))
        self.assertEqual((422, "capability_missing"), self.code(refused))
        self.assertIn("EnforcesEgress", refused[1]["detail"])
        self.assertEqual([], self.ask("GET", "/sandboxes")[1]["items"])
        self.assertEqual(200, self.ask("POST", "/sandboxes", create(requires=["KeepsData"]))[0])

    def test_no_more_boxes_than_may_run(self) -> None:
        for index in range(MemoryBackend.most):
            self.assertEqual(200, self.ask("POST", "/sandboxes", create(name=f"box_{index}", session=f"ses_{index}"))[0])
        self.assertEqual((507, "no_room"), self.code(self.ask("POST", "/sandboxes", create(name="box_x", session="ses_x"))))

    def test_health_tells_strangers_nothing(self) -> None:
        self.assertEqual({"status": "ok"}, self.plane.handle("GET", "/health", None, b"").body)
        self.assertEqual("scripted", self.ask("GET", "/health")[1]["node"])
        self.assertEqual(401, self.plane.handle("GET", "/sandboxes", None, b"").status)

    def test_the_asgi_face_verifies_the_path_as_it_was_sent(self) -> None:
        target = "/sandboxes/a%2Fb?node=scripted"
        sent: list[Mapping[str, Any]] = []

        async def receive() -> Mapping[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        async def run(work: Callable[[], Answer]) -> Answer:
            return work()

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/sandboxes/a/b",
            "raw_path": b"/sandboxes/a%2Fb",
            "query_string": b"node=scripted",
            "headers": [(b"authorization", self.authorization("GET", target, b"").encode())],
        }
        asyncio.run(asgi(self.plane, run)(scope, receive, send))
        self.assertEqual(404, sent[0]["status"])
        self.assertEqual("sandbox_not_found", json.loads(sent[1]["body"])["code"])

    @staticmethod
    def code(answer: tuple[int, Any]) -> tuple[int, str]:
        return answer[0], answer[1]["code"]


if __name__ == "__main__":
    unittest.main()
