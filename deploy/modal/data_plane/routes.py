"""The routes of the data plane over any backend, and their ASGI face."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from .contract import CAPABILITIES, Backend, Box, DataPlaneError, read_create
from .signature import SignedRequest, Verifier

LARGEST_BODY = 1024 * 1024
LOG = logging.getLogger("coordinator.data_plane")

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body; None is no body at all."""

    status: int
    body: Mapping[str, Any] | None

    @property
    def content_type(self) -> str:
        return "application/json" if self.status < 400 else "application/problem+json"

    @property
    def content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()


class DataPlane:
    """Answers one request at a time, whole, whatever the server around it."""

    def __init__(self, backend: Backend, verifier: Verifier) -> None:
        self._backend = backend
        self._verifier = verifier

    def handle(self, method: str, target: str, authorization: str | None, body: bytes) -> Answer:
        """Answers a request; the target is as it stands in the request's first line."""
        path, _, query = target.partition("?")
        if path == "/health" and authorization is None:
            return Answer(200, {"status": "ok"})
        if len(body) > LARGEST_BODY:
            return self._problem(DataPlaneError(413, "body_too_large", f"A body may have at most {LARGEST_BODY} bytes."))
        refusal = self._verifier.refuse(authorization, SignedRequest(method, target, body))
        if refusal is not None:
            return self._problem(DataPlaneError(401, refusal.code, refusal.detail))
        try:
            return self._route(method, path, parse_qsl(query, keep_blank_values=True), body)
        except DataPlaneError as error:
            return self._problem(error)
        except Exception as error:  # whatever the backend's own client threw: nobody knows how far it got
            LOG.exception("%s %s failed", method, path)
            return self._problem(DataPlaneError(503, "driver_unavailable", f"What makes the boxes failed ({type(error).__name__}).", "unavailable", method != "GET"))

    def _route(self, method: str, path: str, query: list[tuple[str, str]], body: bytes) -> Answer:
        for wanted in (value for name, value in query if name == "node" and value != self._backend.node):
            raise DataPlaneError(421, "wrong_node", f"This is {self._backend.node}, not {wanted}.", "unavailable")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match (method, parts):
            case ("GET", ["health"]):
                return Answer(200, self._health())
            case ("POST", ["sandboxes"]):
                return Answer(200, self._box(self._backend.create(read_create(body))))
            case ("GET", ["sandboxes"]):
                labels = dict(self._label(value) for name, value in query if name == "label")
                return Answer(200, {"node": self._backend.node, "items": [self._box(box) for box in self._backend.list(labels)]})
            case ("GET", ["sandboxes", box_id]):
                found = self._backend.inspect(box_id)
                if found is None:
                    raise DataPlaneError(404, "sandbox_not_found", "There is no such box.")
                return Answer(200, self._box(found))
            case ("DELETE", ["sandboxes", box_id]):
                keep = dict(query).get("keepData")
                if keep not in ("true", "false"):
                    raise DataPlaneError(422, "sandbox_rejected", "keepData=true or keepData=false must be said.", "rejected")
                self._backend.destroy(box_id, keep == "true")
                return Answer(204, None)
            case ("POST", ["sandboxes", box_id, "snapshot"]):
                return Answer(200, {"snapshotId": self._backend.snapshot(box_id)})
            case ("POST", ["sandboxes:restore"]) | ("POST", ["images"]) | ("GET", ["images", _]):
                raise DataPlaneError(501, "unsupported", "Name a snapshot as 'image' of a create; images are built when the app is deployed.", "rejected")
        raise DataPlaneError(404, "route_not_found", "There is no such route.")

    def _health(self) -> Mapping[str, Any]:
        running = sum(1 for box in self._backend.list({}) if box.running)
        return {
            "status": "ok",
            "node": self._backend.node,
            "capacity": {"running": running, "most": self._backend.most},
            "capabilities": CAPABILITIES,
            "agents": list(self._backend.agents),
        }

    def _box(self, box: Box) -> Mapping[str, Any]:
        answer: dict[str, Any] = {
            "id": box.id,
            "node": self._backend.node,
            "status": "running" if box.running else "stopped",
            "labels": dict(box.labels),
            "createdAt": box.created_at,
        }
        if box.detail is not None:
            answer["detail"] = box.detail
        return answer

    @staticmethod
    def _label(text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise DataPlaneError(422, "sandbox_rejected", f"A label is name=value, not '{text}'.", "rejected")
        return name, value

    def _problem(self, error: DataPlaneError) -> Answer:
        body: dict[str, Any] = {
            "status": error.status,
            "code": error.code,
            "detail": error.detail,
            "effectMayHaveHappened": error.effect_may_have_happened,
            "node": self._backend.node,
        }
        if error.kind is not None:
            body["kind"] = error.kind
        return Answer(error.status, body)


def asgi(plane: DataPlane, run: Callable[[Callable[[], Answer]], Awaitable[Answer]]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI face; ``run`` takes the blocking work off the event loop."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while len(body) <= LARGEST_BODY:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        # What is signed is the path as it was sent; the decoded one cannot be put together again.
        target = scope["raw_path"].split(b"?")[0].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        headers = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        authorization = None if not headers else headers[0] if len(headers) == 1 else ""
        answer = await run(lambda: plane.handle(scope["method"], target, authorization, body))
        await send({"type": "http.response.start", "status": answer.status, "headers": [(b"content-type", answer.content_type.encode()), (b"cache-control", b"no-store")]})
        await send({"type": "http.response.body", "body": answer.content})

    return serve
