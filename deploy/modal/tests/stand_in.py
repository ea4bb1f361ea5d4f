"""A stand-in for the part of Modal's SDK that this app uses, and the app's real backend served over it.

The names, parameters and exceptions are those of the SDK's documentation (modal 1.x); a call that the SDK does not have fails here too.
What Modal itself does is only as true as its documentation was read: docs/sandboxes.md says what that is worth.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from threading import RLock
from types import ModuleType, SimpleNamespace
from typing import Any

GATE = RLock()
NUMBERS = itertools.count(1)
DICTS: dict[str, dict[Any, Any]] = {}
SANDBOXES: dict[str, "Sandbox"] = {}
VOLUMES: dict[str, dict[str, str]] = {}
STARTS: list[str] = []
TROUBLE: list[Exception] = []
TERMINATED = 137


class Error(Exception):
    """modal.exception.Error"""


class NotFoundError(Error, KeyError):
    """modal.exception.NotFoundError"""


class AlreadyExistsError(Error):
    """modal.exception.AlreadyExistsError"""


class SandboxTimeoutError(Error):
    """modal.exception.SandboxTimeoutError"""


class SandboxTerminatedError(Error):
    """modal.exception.SandboxTerminatedError"""


def trouble() -> None:
    """Fails the next call to Modal when a test said so."""
    if TROUBLE:
        raise TROUBLE.pop()


class Dict:
    """modal.Dict: entries are copied in and out, as over a network."""

    def __init__(self, name: str) -> None:
        self._entries = DICTS.setdefault(name, {})

    @staticmethod
    def from_name(name: str, *, create_if_missing: bool = False) -> "Dict":
        assert create_if_missing
        return Dict(name)

    def put(self, key: Any, value: Any, *, skip_if_exists: bool = False) -> bool:
        with GATE:
            trouble()
            if skip_if_exists and key in self._entries:
                return False
            self._entries[key] = dict(value) if isinstance(value, dict) else value
            return True

    def __getitem__(self, key: Any) -> Any:
        with GATE:
            found = self._entries[key]
            return dict(found) if isinstance(found, dict) else found

    def __setitem__(self, key: Any, value: Any) -> None:
        self.put(key, value)

    def items(self) -> Iterator[tuple[Any, Any]]:
        with GATE:
            trouble()
            return iter([(key, dict(value) if isinstance(value, dict) else value) for key, value in self._entries.items()])

    def pop(self, key: Any) -> Any:
        with GATE:
            return self._entries.pop(key)


class VolumeManager:
    """modal.Volume.objects"""

    def delete(self, name: str, *, allow_missing: bool = False) -> None:
        with GATE:
            if VOLUMES.pop(name, None) is None and not allow_missing:
                raise NotFoundError(name)


class Volume:
    """modal.Volume"""

    objects = VolumeManager()

    def __init__(self, name: str) -> None:
        self.name = name

    @staticmethod
    def from_name(name: str, *, create_if_missing: bool = False) -> "Volume":
        with GATE:
            if create_if_missing:
                VOLUMES.setdefault(name, {})
            return Volume(name)


class Image:
    """modal.Image"""

    def __init__(self, object_id: str) -> None:
        self.object_id = object_id

    @staticmethod
    def from_id(image_id: str) -> "Image":
        return Image(image_id)


class Secret:
    """modal.Secret"""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env

    @staticmethod
    def from_dict(env_dict: Mapping[str, str]) -> "Secret":
        return Secret(env_dict)


class App:
    """modal.App"""

    def __init__(self, name: str) -> None:
        self.name = name
        self.app_id = f"ap-{name}"

    @staticmethod
    def lookup(name: str, *, create_if_missing: bool = False) -> "App":
        assert create_if_missing
        return App(name)


class Sandbox:
    """modal.Sandbox"""

    def __init__(self, app: App, name: str | None, volumes: Mapping[str, Volume], secrets: Sequence[Secret], limits: tuple[Any, Any]) -> None:
        self.object_id = f"sb-{next(NUMBERS)}"
        self.app = app
        self.name = name
        self.volumes = volumes
        self.secrets = secrets
        self.limits = limits
        self.tags: dict[str, str] = {}
        self.code: int | None = None
        self.timed_out = False

    @staticmethod
    def create(
        *args: str,
        app: App,
        name: str | None = None,
        image: Image | None = None,
        secrets: Sequence[Secret] = (),
        timeout: int = 300,
        cpu: tuple[float, float] | float | None = None,
        memory: tuple[int, int] | int | None = None,
        volumes: Mapping[str, Volume] | None = None,
    ) -> "Sandbox":
        with GATE:
            trouble()
            assert args and image is not None and 0 < timeout <= 24 * 60 * 60
            assert name is None or len(name) < 64
            if any(box.name == name and box.app.name == app.name and box.code is None for box in SANDBOXES.values()):
                raise AlreadyExistsError(name)
            box = Sandbox(app, name, volumes or {}, secrets, (cpu, memory))
            SANDBOXES[box.object_id] = box
            STARTS.append(name or "")
            return box

    @staticmethod
    def from_id(sandbox_id: str) -> "Sandbox":
        with GATE:
            if sandbox_id not in SANDBOXES:
                raise NotFoundError(sandbox_id)
            return SANDBOXES[sandbox_id]

    @staticmethod
    def from_name(app_name: str, name: str) -> "Sandbox":
        with GATE:
            for box in SANDBOXES.values():
                if box.name == name and box.app.name == app_name and box.code is None:
                    return box
            raise NotFoundError(name)

    @staticmethod
    def list(*, app_id: str | None = None, tags: Mapping[str, str] | None = None) -> "Iterator[Sandbox]":
        with GATE:
            wanted = (tags or {}).items()
            return iter([box for box in SANDBOXES.values() if box.code is None and app_id in (None, box.app.app_id) and wanted <= box.tags.items()])

    def set_tags(self, tags: Mapping[str, str]) -> None:
        self.tags = dict(tags)

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        with GATE:
            trouble()
            if self.code is None:
                self.code = TERMINATED

    def wait(self, raise_on_termination: bool = True) -> None:
        if self.timed_out:
            raise SandboxTimeoutError()
        if self.code == TERMINATED and raise_on_termination:
            raise SandboxTerminatedError()

    def snapshot_filesystem(self) -> Image:
        return Image(f"im-{self.object_id}")


def install() -> ModuleType:
    """Makes ``import modal`` mean this."""
    module = ModuleType("modal")
    for name, value in {"App": App, "Dict": Dict, "Image": Image, "Sandbox": Sandbox, "Secret": Secret, "Volume": Volume}.items():
        setattr(module, name, value)
    exceptions = (Error, NotFoundError, AlreadyExistsError, SandboxTimeoutError, SandboxTerminatedError)
    setattr(module, "exception", SimpleNamespace(**{error.__name__: error for error in exceptions}))
    sys.modules["modal"] = module
    return module


def clear() -> None:
    """As if Modal were new."""
    for table in (*DICTS.values(), SANDBOXES, VOLUMES):
        table.clear()
    STARTS.clear()
    TROUBLE.clear()


def named(name: str) -> Sandbox:
    """The last sandbox of this name, whether it runs or not."""
    return next(box for box in reversed(list(SANDBOXES.values())) if box.name == name)


def volume_of(session: str) -> str:
    """What the app calls a session's volume."""
    return next((name for name in VOLUMES if name.endswith(session.replace("_", "-"))), "")


def obey(words: list[str]) -> str:
    """A hand inside the boxes, for the tests that talk to this over HTTP."""
    with GATE:
        match words:
            case ["starts", name]:
                return str(STARTS.count(name))
            case ["end", name, code]:
                named(name).code = int(code)
            case ["timeout", name]:
                box = named(name)
                (box.code, box.timed_out) = (124, True)
            case ["write", session, file, *text]:
                VOLUMES[volume_of(session)][file] = " ".join(text)
            case ["read", session, file]:
                return "=" + VOLUMES[volume_of(session)][file] if file in VOLUMES.get(volume_of(session), {}) else "-"
        return "ok"


def main() -> None:
    """Serves the app's real backend over the stand-in: port on the first line, then an answer for each line that comes in."""
    install()
    from data_plane.memory import listen
    from data_plane.routes import DataPlane
    from data_plane.signature import Verifier
    from modal_backend import ModalBackend, ModalNonces

    secrets = dict(pair.split("=", 1) for pair in sys.argv[1:])
    plane = DataPlane(ModalBackend(Image("im-box"), ("agent",), 8), Verifier(secrets, ModalNonces(), time.time))
    with listen(plane) as port:
        print(port, flush=True)
        for line in sys.stdin:
            print(obey(line.split()), flush=True)


if __name__ == "__main__":
    main()
