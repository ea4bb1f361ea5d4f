"""A backend whose boxes are entries of a table, and a server for it: the scripted peer that the adapter's tests talk to."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from .contract import SESSION_LABEL, Box, CreateRequest, DataPlaneError
from .routes import DataPlane
from .signature import ALLOWED_SKEW_SECONDS, Verifier


class MemoryNonces:
    """Nonces of this process."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._gate = Lock()
        self._used: dict[tuple[str, str], int] = {}

    def take(self, key_id: str, nonce: str, timestamp: int) -> bool:
        with self._gate:
            oldest = int(self._now()) - 2 * ALLOWED_SKEW_SECONDS
            self._used = {entry: at for entry, at in self._used.items() if at >= oldest}
            if (key_id, nonce) in self._used:
                return False
            self._used[(key_id, nonce)] = timestamp
            return True


class MemoryBackend:
    """The semantics of the real thing: one box per key, older boxes of a session ended, destroyed ones never made again."""

    node = "scripted"
    agents: Sequence[str] = ("agent",)
    most = 8

    def __init__(self) -> None:
        self._gate = Lock()
        self._boxes: dict[str, Box] = {}
        self._creates: dict[str, tuple[str, str]] = {}

    def create(self, request: CreateRequest) -> Box:
        with self._gate:
            known = self._creates.get(request.key)
            if known is not None and known[0] != request.fingerprint:
                raise DataPlaneError(422, "sandbox_rejected", f"The idempotency key '{request.key}' was used for another create.", "rejected")
            if known is not None and known[1] in self._boxes:
                return self._boxes[known[1]]
            if known is not None:
                raise DataPlaneError(422, "sandbox_rejected", f"{request.name} was created and destroyed; it is not made again.", "rejected")
            if sum(1 for box in self._boxes.values() if box.running) >= self.most:
                raise DataPlaneError(507, "no_room", "No more boxes may run.", "full")
            for older in [box for box in self._boxes.values() if box.labels.get(SESSION_LABEL) == request.session]:
                del self._boxes[older.id]
            box = Box(f"sb-{request.name}", True, None, request.labels, datetime.now(timezone.utc).isoformat())
            self._boxes[box.id] = box
            self._creates[request.key] = (request.fingerprint, box.id)
            return box

    def inspect(self, box_id: str) -> Box | None:
        with self._gate:
            return self._boxes.get(box_id)

    def list(self, labels: Mapping[str, str]) -> Sequence[Box]:
        with self._gate:
            return [box for box in self._boxes.values() if all(box.labels.get(name) == value for name, value in labels.items())]

    def destroy(self, box_id: str, keep_data: bool) -> None:
        with self._gate:
            box = self._boxes.get(box_id)
            if box is None:
                return
            if keep_data:
                self._boxes[box_id] = Box(box.id, False, "destroyed", box.labels, box.created_at)
            else:
                del self._boxes[box_id]

    def snapshot(self, box_id: str) -> str:
        if self.inspect(box_id) is None:
            raise DataPlaneError(404, "sandbox_not_found", "There is no such box.")
        return f"im-{box_id}"


@contextmanager
def listen(plane: DataPlane) -> Iterator[int]:
    """Serves on a free port of loopback, which is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = plane.handle(self.command, self.path, self.headers.get("Authorization"), body)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_DELETE = _answer

        def log_message(self, format: str, *args: object) -> None:
            """Requests are the tests' own; nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def serve(secrets: Mapping[str, str]) -> None:
    """Serves the boxes in memory, says on which port, and ends when its standard input does."""
    with listen(DataPlane(MemoryBackend(), Verifier(secrets, MemoryNonces(), time.time))) as port:
        print(port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    serve(dict(pair.split("=", 1) for pair in sys.argv[1:]))
