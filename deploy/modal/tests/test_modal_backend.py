"""The backend that is deployed, over the stand-in for Modal's SDK: what must hold at a crash, a limit and a late call."""

from __future__ import annotations

import unittest
from datetime import datetime, timedelta, timezone
from typing import Any

from tests import stand_in

stand_in.install()

from data_plane.contract import CreateRequest, DataPlaneError, read_create  # noqa: E402
from modal_backend import CREATES, NONCES, ModalBackend, ModalNonces, forget_old_nonces, tidy_creates  # noqa: E402
from tests.test_routes import create  # noqa: E402


def request(name: str = "box_1", **more: Any) -> CreateRequest:
    import json

    return read_create(json.dumps(create(name, **more)).encode())


class ModalBackendTests(unittest.TestCase):
    def setUp(self) -> None:
        stand_in.clear()
        self.backend = ModalBackend(stand_in.Image("im-box"), ("agent",), 2)  # type: ignore[arg-type]

    def code(self, *arguments: Any, **more: Any) -> str:
        with self.assertRaises(DataPlaneError) as refused:
            self.backend.create(request(*arguments, **more))
        return refused.exception.code

    def test_no_more_boxes_than_may_run_and_a_known_one_is_still_found(self) -> None:
        first = self.backend.create(request("box_1", session="ses_1"))
        self.backend.create(request("box_2", session="ses_2"))
        self.assertEqual("no_room", self.code("box_3", session="ses_3"))
        self.assertEqual(first.id, self.backend.create(request("box_1", session="ses_1")).id)
        CREATES["box_1"] = {**CREATES["box_1"], "id": None}
        self.assertEqual(first.id, self.backend.create(request("box_1", session="ses_1")).id)
        self.backend.destroy(first.id, keep_data=True)
        self.assertTrue(self.backend.create(request("box_3", session="ses_3")).running)

    def test_a_create_that_broke_off_after_the_box_was_there_finds_it(self) -> None:
        made = self.backend.create(request())
        CREATES["box_1"] = {**CREATES["box_1"], "id": None}
        self.assertEqual([made.id], [box.id for box in self.backend.list({})])
        CREATES["box_1"] = {**CREATES["box_1"], "id": None}
        self.assertEqual(made.id, self.backend.create(request()).id)
        self.assertEqual(["box_1"], stand_in.STARTS)

    def test_a_box_whose_time_was_up_can_be_ended(self) -> None:
        box = self.backend.create(request())
        stand_in.obey(["timeout", "box_1"])
        self.assertEqual("exit 124", self.backend.inspect(box.id).detail)  # type: ignore[union-attr]
        self.backend.destroy(box.id, keep_data=False)
        self.assertIsNone(self.backend.inspect(box.id))

    def test_a_destroy_that_broke_off_after_the_volume_was_gone_is_finished_by_the_next(self) -> None:
        box = self.backend.create(request())
        stand_in.VOLUMES.clear()
        self.backend.destroy(box.id, keep_data=False)
        self.assertEqual([], list(self.backend.list({})))

    def test_memory_and_processors_are_limits_and_not_only_asked_for(self) -> None:
        self.backend.create(request(resources={"memoryBytes": 1 << 30, "processes": 1, "cpus": 2, "diskBytes": 1}))
        self.assertEqual(((2.0, 2.0), (1024, 1024)), stand_in.named("box_1").limits)

    def test_a_nonce_is_taken_once_and_forgotten_when_it_is_old(self) -> None:
        nonces = ModalNonces()
        self.assertTrue(nonces.take("main", "n", 1))
        self.assertFalse(nonces.take("main", "n", 1))
        self.assertEqual(1, forget_old_nonces())
        self.assertEqual([], list(NONCES.items()))

    def test_creates_that_matter_are_kept_and_those_of_boxes_long_gone_are_not(self) -> None:
        kept = self.backend.create(request("box_1", session="ses_1"))
        gone = self.backend.create(request("box_2", session="ses_2"))
        self.backend.destroy(gone.id, keep_data=False)
        self.assertEqual(0, tidy_creates())
        long_ago = (datetime.now(timezone.utc) - timedelta(days=2)).isoformat()
        for key in ("box_1", "box_2"):
            CREATES[key] = {**CREATES[key], "createdAt": long_ago, **({"destroyedAt": long_ago} if key == "box_2" else {})}
        self.assertEqual(1, tidy_creates())
        self.assertEqual([kept.id], [box.id for box in self.backend.list({})])

    def test_a_session_whose_next_box_found_no_room_keeps_the_way_to_its_data(self) -> None:
        first = self.backend.create(request("box_1", session="ses_1"))
        self.backend.destroy(first.id, keep_data=True)
        for other in ("2", "3"):
            self.backend.create(request(f"box_{other}", session=f"ses_{other}"))
        self.assertEqual("no_room", self.code("box_4", session="ses_1", generation=2))
        self.assertEqual([first.id], [box.id for box in self.backend.list({"coordinator.session": "ses_1"})])
        self.backend.destroy(first.id, keep_data=False)
        self.assertNotIn("coordinator-boxes-ses-1", stand_in.VOLUMES)

    def test_a_create_asked_for_again_is_never_refused_as_if_there_were_no_box(self) -> None:
        CREATES["box_1"] = {"fingerprint": request().fingerprint, "labels": dict(request().labels), "createdAt": datetime.now(timezone.utc).isoformat(), "session": "ses_1", "id": None, "destroyed": False}
        for other in ("2", "3"):
            self.backend.create(request(f"box_{other}", session=f"ses_{other}"))
        with self.assertRaises(DataPlaneError) as refused:
            self.backend.create(request())
        self.assertEqual((503, True), (refused.exception.status, refused.exception.effect_may_have_happened))

    def test_a_box_that_modal_has_forgotten_is_in_nobodys_way(self) -> None:
        first = self.backend.create(request("box_1", session="ses_1"))
        self.backend.destroy(first.id, keep_data=True)
        del stand_in.SANDBOXES[first.id]
        self.assertEqual([False], [box.running for box in self.backend.list({})])
        self.assertTrue(self.backend.create(request("box_2", session="ses_1", generation=2)).running)
        self.backend.destroy(first.id, keep_data=False)

    def test_a_create_that_made_nothing_is_forgotten_with_its_volume(self) -> None:
        for other in ("2", "3"):
            self.backend.create(request(f"box_{other}", session=f"ses_{other}"))
        self.assertEqual("no_room", self.code("box_1", session="ses_1"))
        CREATES["box_1"] = {**CREATES["box_1"], "createdAt": (datetime.now(timezone.utc) - timedelta(days=2)).isoformat()}
        self.assertEqual(1, tidy_creates())
        self.assertEqual(["box_2", "box_3"], sorted(key for key, _ in CREATES.items()))


if __name__ == "__main__":
    unittest.main()
