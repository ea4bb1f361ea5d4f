"""Boxes as Modal sandboxes: the only file, with app.py, that knows Modal's SDK."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import modal

from data_plane.contract import SANDBOX_LABEL, SESSION_LABEL, Box, CreateRequest, DataPlaneError
from data_plane.signature import ALLOWED_SKEW_SECONDS

APP = os.environ.get("COORDINATOR_MODAL_APP", "coordinator-boxes")
CREATES = modal.Dict.from_name(f"{APP}-creates", create_if_missing=True)
NONCES = modal.Dict.from_name(f"{APP}-nonces", create_if_missing=True)
LONGEST_LIFE_SECONDS = 24 * 60 * 60
REMEMBERED = timedelta(days=1)

START = (
    "umask 077 && mkdir -p /run/coordinator /data/workspace /data/home && printf %s \"$COORDINATOR_BOX\" > /run/coordinator/box.json && unset COORDINATOR_BOX"
    " && exec /opt/coordinator/coordinator-box run --config /run/coordinator/box.json"
)


class ModalNonces:
    """Nonces of all containers: an entry is made once, whoever makes it."""

    def take(self, key_id: str, nonce: str, timestamp: int) -> bool:
        return bool(NONCES.put(f"{key_id} {nonce}", timestamp, skip_if_exists=True))


def forget_old_nonces() -> int:
    """Drops nonces that no fresh request can carry; returns how many."""
    oldest = int(time.time()) - 2 * ALLOWED_SKEW_SECONDS
    old = [entry for entry, timestamp in NONCES.items() if timestamp < oldest]
    for entry in old:
        NONCES.pop(entry)
    return len(old)


def tidy_creates() -> int:
    """
    An entry of a Dict that nobody touches is gone after seven days, and with it the way to its volume: those that matter are
    written anew. Those of boxes that are gone, and of creates that made none, are forgotten when no late create can name them any more; returns how many.
    """
    forgotten = 0
    for key, entry in list(CREATES.items()):
        since = datetime.fromisoformat(entry.get("destroyedAt") or entry["createdAt"])
        if (entry["destroyed"] or entry["id"] is None) and datetime.now(timezone.utc) - since > REMEMBERED:
            CREATES.pop(key)
            forgotten += 1
            if not any(other["session"] == entry["session"] and not other["destroyed"] for _, other in CREATES.items()):
                # A create that broke off may have made it, and no box is left by which anybody would find it.
                modal.Volume.objects.delete(_volume_name(entry["session"]), allow_missing=True)
        else:
            # Nothing is lost when it changed meanwhile: an id is found again by the box's name, a destroy is asked for again.
            CREATES[key] = CREATES[key]
    return forgotten


def _tag(label: str) -> str:
    return label.replace(".", "_")


def _volume_name(session: str) -> str:
    return f"{APP}-{session}".replace("_", "-")


class ModalBackend:
    """One sandbox per create, named by it, so that Modal itself refuses a second one; data in a volume per session."""

    def __init__(self, image: modal.Image, agents: Sequence[str], most: int) -> None:
        self.node = f"modal-{APP}"
        self.agents = agents
        self.most = most
        self._image = image
        self._app = modal.App.lookup(APP, create_if_missing=True)

    def create(self, request: CreateRequest) -> Box:
        """See Backend. What is known of a create is written down before the sandbox can be there, and its id after."""
        entry: dict[str, Any] = {
            "fingerprint": request.fingerprint,
            "labels": dict(request.labels),
            "createdAt": datetime.now(timezone.utc).isoformat(),
            "session": request.session,
            "id": None,
            "destroyed": False,
        }
        is_first = bool(CREATES.put(request.key, entry, skip_if_exists=True))
        if not is_first:
            entry = CREATES[request.key]
        if entry["fingerprint"] != request.fingerprint:
            raise DataPlaneError(422, "sandbox_rejected", f"The idempotency key '{request.key}' was used for another create.", "rejected")
        if entry["destroyed"]:
            raise DataPlaneError(422, "sandbox_rejected", f"{request.name} was created and destroyed; it is not made again.", "rejected")
        if entry["id"] is None:
            older = self._end_older(request)
            entry["id"] = self._find_unrecorded(request.key, entry) or self._start_where_there_is_room(request, is_first)
            CREATES[request.key] = entry
            for key, ended in older:
                # Only now: until the new box stands, the session's volume is found by the entries of its old ones.
                CREATES[key] = self._gone(ended)
        return self._box(entry["id"], entry["labels"], entry["createdAt"])

    def inspect(self, box_id: str) -> Box | None:
        """See Backend."""
        for _, entry in self._entries({}):
            if entry["id"] == box_id:
                return self._box(box_id, entry["labels"], entry["createdAt"])
        return None

    def list(self, labels: Mapping[str, str]) -> Sequence[Box]:
        """See Backend. A create without an id may have made a sandbox: it is looked for by its name."""
        found: list[Box] = []
        for key, entry in self._entries(labels):
            box_id = entry["id"] or self._find_unrecorded(key, entry)
            if box_id is not None:
                found.append(self._box(box_id, entry["labels"], entry["createdAt"]))
        return found

    def destroy(self, box_id: str, keep_data: bool) -> None:
        """See Backend. The volume goes last, so that what is left of a destroy that broke off is found again."""
        for key, entry in list(self._entries({})):
            if entry["id"] != box_id:
                continue
            self._end(box_id)
            if keep_data:
                return
            others = [(other_key, other) for other_key, other in self._entries({SESSION_LABEL: entry["session"]}) if other_key != key]
            if not any(other["id"] or self._find_unrecorded(other_key, other) for other_key, other in others):
                modal.Volume.objects.delete(_volume_name(entry["session"]), allow_missing=True)
            CREATES[key] = self._gone(entry)

    def snapshot(self, box_id: str) -> str:
        """See Backend. The id is good as the image of a create."""
        if self.inspect(box_id) is None:
            raise DataPlaneError(404, "sandbox_not_found", "There is no such box.")
        return str(modal.Sandbox.from_id(box_id).snapshot_filesystem().object_id)

    def _start_where_there_is_room(self, request: CreateRequest, is_first: bool) -> str:
        """
        Counts what runs, whoever made it. Two creates at the same moment may make one box too many, and never none. A create
        that was asked for before may be under way elsewhere: its refusal does not say that there is no box.
        """
        running = sum(1 for _ in modal.Sandbox.list(app_id=self._app.app_id))
        if running >= self.most:
            detail = f"{running} boxes run, which is all that may (COORDINATOR_MOST_BOXES)."
            raise DataPlaneError(507, "no_room", detail, "full") if is_first else DataPlaneError(503, "no_room", detail, "unavailable", effect_may_have_happened=True)
        return str(self._start(request).object_id)

    @staticmethod
    def _end(box_id: str) -> None:
        """Returns when nothing of it runs any more. One that Modal has forgotten ended long ago."""
        try:
            sandbox = modal.Sandbox.from_id(box_id)
            sandbox.terminate()
            sandbox.wait(raise_on_termination=False)
        except (modal.exception.NotFoundError, modal.exception.SandboxTimeoutError):
            # The second: it had ended by itself, its time was up.
            return

    @staticmethod
    def _gone(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {**entry, "destroyed": True, "destroyedAt": datetime.now(timezone.utc).isoformat()}

    def _start(self, request: CreateRequest) -> modal.Sandbox:
        volume = modal.Volume.from_name(_volume_name(request.session), create_if_missing=True)
        image = self._image if request.image is None else modal.Image.from_id(request.image)

        # One number is only what is asked for; of two the second is the limit.
        memory = max(128, request.memory_bytes // (1024 * 1024))
        try:
            sandbox = modal.Sandbox.create(
                "/bin/sh",
                "-c",
                START,
                app=self._app,
                name=request.name,
                image=image,
                cpu=(request.cpus, request.cpus),
                memory=(memory, memory),
                timeout=min(request.ttl_seconds, LONGEST_LIFE_SECONDS),
                volumes={"/data": volume},
                secrets=[modal.Secret.from_dict({"COORDINATOR_BOX": request.box_configuration})],
            )
        except modal.exception.AlreadyExistsError:
            # Another try of this create made it, and its answer was lost.
            return modal.Sandbox.from_name(APP, request.name)
        sandbox.set_tags({_tag(label): value for label, value in request.labels.items()})
        return sandbox

    def _end_older(self, request: CreateRequest) -> list[tuple[str, dict[str, Any]]]:
        """Two boxes never share a session's data; a create that comes late must not end a newer box. Returns what was ended."""
        ended: list[tuple[str, dict[str, Any]]] = []
        for key, entry in list(self._entries({SESSION_LABEL: request.session})):
            generation = int(entry["labels"].get("coordinator.generation", "0"))
            if generation > request.generation:
                raise DataPlaneError(422, "sandbox_rejected", f"Generation {request.generation} is out of date: the session has a box of generation {generation}.", "rejected")
            if entry["labels"].get(SANDBOX_LABEL) == request.name:
                continue
            box_id = entry["id"] or self._find_unrecorded(key, entry)
            if box_id is not None:
                self._end(box_id)
            ended.append((key, entry))
        return ended

    def _entries(self, labels: Mapping[str, str]) -> Sequence[tuple[str, dict[str, Any]]]:
        return [
            (key, entry)
            for key, entry in CREATES.items()
            if not entry["destroyed"] and all(entry["labels"].get(name) == value for name, value in labels.items())
        ]

    def _find_unrecorded(self, key: str, entry: dict[str, Any]) -> str | None:
        try:
            found = modal.Sandbox.from_name(APP, entry["labels"][SANDBOX_LABEL])
        except modal.exception.NotFoundError:
            return None
        CREATES[key] = {**entry, "id": found.object_id}
        return str(found.object_id)

    def _box(self, box_id: str, labels: Mapping[str, str], created_at: str) -> Box:
        try:
            exit_code = modal.Sandbox.from_id(box_id).poll()
        except modal.exception.NotFoundError:
            return Box(box_id, False, "ended, and forgotten since", labels, created_at)
        return Box(box_id, exit_code is None, None if exit_code is None else f"exit {exit_code}", labels, created_at)
