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
from modal_backend import APP, ModalBackend, ModalNonces, forget_old_nonces

MOST_BOXES = int(os.environ.get("COORDINATOR_MOST_BOXES", "100"))
AGENTS = ("opencode",)

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


def secrets_of_the_environment() -> dict[str, str]:
    """COORDINATOR_KEYS holds ``id=secret`` separated by spaces; two during a rotation."""
    keys = dict(pair.split("=", 1) for pair in os.environ["COORDINATOR_KEYS"].split())
    weak = [key for key, secret in keys.items() if len(secret) < 32]
    if not keys or weak:
        raise ValueError(f"COORDINATOR_KEYS must hold at least one key, each secret of at least 32 characters; too short: {', '.join(weak) or 'none'}")
    return keys


@app.function(image=PLANE_IMAGE, secrets=[modal.Secret.from_name("coordinator-data-plane")], timeout=300)
@modal.concurrent(max_inputs=50)
@modal.asgi_app()
def data_plane() -> Callable[..., Awaitable[None]]:
    """Serves the contract at the URL that ``modal deploy`` prints."""
    plane = DataPlane(ModalBackend(BOX_IMAGE, AGENTS, MOST_BOXES), Verifier(secrets_of_the_environment(), ModalNonces(), time.time))

    async def run(work: Callable[[], Answer]) -> Answer:
        return await asyncio.to_thread(work)

    return asgi(plane, run)


@app.function(image=PLANE_IMAGE, schedule=modal.Period(minutes=30))
def tidy() -> Any:
    """Forgets nonces that are too old to matter."""
    return forget_old_nonces()
