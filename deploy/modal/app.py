"""The Modal app: ``modal deploy app.py``. See README.md."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import modal

from data_plane.routes import Answer, DataPlane, asgi
from data_plane.signature import Verifier
from modal_backend import APP, ModalBackend, ModalNonces, forget_old_nonces, tidy_creates

MOST_BOXES = int(os.environ.get("COORDINATOR_MOST_BOXES", "100"))
AGENTS = ("opencode",)
BOX_IMAGE_ID = "COORDINATOR_BOX_IMAGE"

# The box's program and the agent, as ./run.sh --setup builds and installs them beside this folder.
BOX_IMAGE = (
    modal.Image.debian_slim(python_version="3.12")
    .apt_install("git", "ripgrep", "ca-certificates", "nodejs", "npm")
    .run_commands(
        "mkdir -p /opt/coordinator /data/workspace /data/home /home",
        "ln -s /data/workspace /workspace",
        "ln -s /data/home /home/agent",
    )
    .add_local_file("../../artifacts/box/coordinator-box", "/opt/coordinator/coordinator-box", copy=True)
    .add_local_file("../../node_modules/opencode-linux-x64/bin/opencode", "/opt/coordinator/opencode", copy=True)
    .run_commands("chmod 755 /opt/coordinator/coordinator-box /opt/coordinator/opencode")
)

PLANE_IMAGE = modal.Image.debian_slim(python_version="3.12").add_local_python_source("data_plane", "modal_backend")

app = modal.App(APP)


def settings() -> modal.Secret:
    """
    What the deploying machine knows and a container does not: its environment, and the boxes' image, which is built there, where the
    files are that go into it.
    """
    if not modal.is_local():
        return modal.Secret.from_dict({})
    built = BOX_IMAGE.build(modal.App.lookup(APP, create_if_missing=True))
    return modal.Secret.from_dict({"COORDINATOR_MODAL_APP": APP, "COORDINATOR_MOST_BOXES": str(MOST_BOXES), BOX_IMAGE_ID: built.object_id})


SETTINGS = settings()


def secrets_of_the_environment() -> dict[str, str]:
    """COORDINATOR_KEYS holds ``id=secret`` separated by spaces; two during a rotation."""
    keys = dict(pair.split("=", 1) for pair in os.environ["COORDINATOR_KEYS"].split())
    weak = [key for key, secret in keys.items() if len(secret) < 32]
    if not keys or weak:
        raise ValueError(f"COORDINATOR_KEYS must hold at least one key, each secret of at least 32 characters; too short: {', '.join(weak) or 'none'}")
    return keys


@app.function(image=PLANE_IMAGE, secrets=[modal.Secret.from_name("coordinator-data-plane"), SETTINGS], timeout=300)
@modal.concurrent(max_inputs=50)
@modal.asgi_app()
def data_plane() -> Callable[..., Awaitable[None]]:
    """Serves the contract at the URL that ``modal deploy`` prints."""
    plane = DataPlane(ModalBackend(modal.Image.from_id(os.environ[BOX_IMAGE_ID]), AGENTS, MOST_BOXES), Verifier(secrets_of_the_environment(), ModalNonces(), time.time))

    async def run(work: Callable[[], Answer]) -> Answer:
        return await asyncio.to_thread(work)

    return asgi(plane, run)


@app.function(image=PLANE_IMAGE, secrets=[SETTINGS], schedule=modal.Period(minutes=30))
def tidy() -> Any:
    """Forgets nonces that are too old to matter, and keeps the creates that do matter from being forgotten."""
    return forget_old_nonces() + tidy_creates()
