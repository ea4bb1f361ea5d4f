"""The contract's words: what is asked, what is answered, and what makes boxes behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

SANDBOX_LABEL = "coordinator.sandbox"
SESSION_LABEL = "coordinator.session"
GENERATION_LABEL = "coordinator.generation"

# What every box of this app can do beyond the minimum, as /health tells it.
CAPABILITIES = {"keepsData": True, "snapshots": True, "images": False, "enforcesMemory": True, "enforcesEgress": False}


class DataPlaneError(Exception):
    """A refusal or failure in the one form that the contract knows."""

    def __init__(self, status: int, code: str, detail: str, kind: str | None = None, effect_may_have_happened: bool = False) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.kind = kind
        self.effect_may_have_happened = effect_may_have_happened


@dataclass(frozen=True)
class CreateRequest:
    """A create, checked."""

    key: str
    name: str
    image: str | None
    agent: str
    memory_bytes: int
    processes: int
    cpus: float
    disk_bytes: int
    control_plane: str
    token: str
    organization: str
    session: str
    generation: int
    ttl_seconds: int
    labels: Mapping[str, str]
    requires: Sequence[str]

    @property
    def fingerprint(self) -> str:
        """Which box, for whom, and the token it proves itself with: the same key for another of them is a conflict."""
        labels = sorted(self.labels.items())
        text = json.dumps([self.name, self.agent, self.generation, self.organization, self.session, self.token, labels])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def box_configuration(self) -> str:
        """The file that the program in the box starts from (docs/protocol.md, Start of a box)."""
        return json.dumps(
            {
                "endpoint": self.control_plane,
                "token": self.token,
                "sandbox": self.name,
                "generation": self.generation,
                "workspace": "/workspace",
                "home": "/home/agent",
                "state": "/home/agent/.coordinator",
                "agents": {self.agent: f"/opt/coordinator/{self.agent}"},
                "diskBytes": self.disk_bytes,
            }
        )


@dataclass(frozen=True)
class Box:
    """A box as the backend sees it."""

    id: str
    running: bool
    detail: str | None
    labels: Mapping[str, str]
    created_at: str


class Backend(Protocol):
    """What makes boxes. Its failures are DataPlaneErrors."""

    node: str
    agents: Sequence[str]
    most: int

    def create(self, request: CreateRequest) -> Box:
        """Makes a box, or finds the one that the same key made before."""
        ...

    def inspect(self, box_id: str) -> Box | None:
        """None only when there is certainly no such box."""
        ...

    def list(self, labels: Mapping[str, str]) -> Sequence[Box]:
        """Every box with all of the labels."""
        ...

    def destroy(self, box_id: str, keep_data: bool) -> None:
        """Ends a box for certain; an absent one is a success."""
        ...

    def snapshot(self, box_id: str) -> str:
        """The id of an image of the box's file system."""
        ...


def read_create(body: bytes) -> CreateRequest:
    """Reads a create and names everything that is wrong with it at once."""
    try:
        value: Any = json.loads(body)
    except ValueError as error:
        raise DataPlaneError(400, "body_malformed", "The body is not the JSON that this route takes.") from error
    if not isinstance(value, dict):
        raise DataPlaneError(400, "body_malformed", "The body is not the JSON that this route takes.")
    wrong: list[str] = []
    resources = _object(value, "resources", wrong)
    bridge = _object(value, "bridge", wrong)
    labels = _object(value, "labels", wrong)
    request = CreateRequest(
        key=_text(value, "idempotencyKey", wrong),
        name=_text(value, "name", wrong),
        image=value.get("image"),
        agent=_text(value, "agent", wrong),
        memory_bytes=int(_number(resources, "memoryBytes", wrong)),
        processes=int(_number(resources, "processes", wrong)),
        cpus=_number(resources, "cpus", wrong),
        disk_bytes=int(_number(resources, "diskBytes", wrong)),
        control_plane=_text(bridge, "url", wrong),
        token=_text(bridge, "token", wrong),
        organization=_text(bridge, "organization", wrong),
        session=_text(bridge, "session", wrong),
        generation=int(_number(bridge, "generation", wrong)),
        ttl_seconds=int(_number(value, "ttlSeconds", wrong)),
        labels={str(name): str(label) for name, label in labels.items()},
        requires=_texts(value, "requires", wrong),
    )
    wanted = {SANDBOX_LABEL: request.name, SESSION_LABEL: request.session, GENERATION_LABEL: str(request.generation)}
    wrong.extend(f"the label {name} must be {label}" for name, label in wanted.items() if request.labels.get(name) != label)
    if wrong:
        raise DataPlaneError(422, "sandbox_rejected", f"The create is wrong: {'; '.join(wrong)}.", "rejected")
    held = {name.lower() for name, is_held in CAPABILITIES.items() if is_held}
    lacking = [name for name in request.requires if name.lower() not in held]
    if lacking:
        raise DataPlaneError(422, "capability_missing", f"A box must be able to do {', '.join(lacking)}, which boxes of this app cannot.", "incapable")
    return request


def _object(value: Mapping[str, Any], name: str, wrong: list[str]) -> Mapping[str, Any]:
    found = value.get(name)
    if isinstance(found, dict):
        return found
    wrong.append(f"{name} must be an object")
    return {}


def _text(value: Mapping[str, Any], name: str, wrong: list[str]) -> str:
    found = value.get(name)
    if isinstance(found, str) and 0 < len(found) <= 512:
        return found
    wrong.append(f"{name} must be a text")
    return ""


def _texts(value: Mapping[str, Any], name: str, wrong: list[str]) -> Sequence[str]:
    found = value.get(name) or []
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        return found
    wrong.append(f"{name} must be a list of texts")
    return []


def _number(value: Mapping[str, Any], name: str, wrong: list[str]) -> float:
    found = value.get(name)
    if isinstance(found, (int, float)) and not isinstance(found, bool) and found > 0:
        return float(found)
    wrong.append(f"{name} must be a positive number")
    return 0.0
