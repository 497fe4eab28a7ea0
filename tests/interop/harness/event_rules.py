"""What holds for every event on a backend socket, whatever a test is about."""

import base64
import re
from typing import Any

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
DEVICE = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
SESSION = re.compile(r"[0-9a-f]{32}")
REASONS = {"bye", "timeout", "replaced", "protocol", "peer", "closed", "revoked", "shutdown", "restart"}
FIELDS = {
    "connected": {"type", "id", "time", "device", "session", "transport", "wire", "peer"},
    "disconnected": {"type", "id", "time", "device", "session", "reason"},
    "lost": {"type", "id", "time", "count", "first", "last"},
}
MESSAGE_FIELDS = {"type", "id", "time", "device", "session"}


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
        return True
    except UnicodeDecodeError:
        return False


class EventRules:
    """Checks the events of one connection, in order. Raises AssertionError."""

    def __init__(self, greeting: dict[str, Any], encoding: str) -> None:
        assert greeting["type"] == "hello" and greeting["protocol"] == 1, greeting
        assert set(greeting) == {"type", "protocol", "version", "backend", "delivery", "epoch", "next_id"}, greeting
        self._next_id: int = greeting["next_id"]
        self._encoding = encoding
        self._ended: set[str] = set()
        self._live: dict[str, str] = {}

    def check(self, event: dict[str, Any]) -> None:
        self._check_fields(event)
        self._check_id(event)
        if event["type"] != "lost":
            self._check_session(event)

    def _check_fields(self, event: dict[str, Any]) -> None:
        assert TIME.fullmatch(event["time"]), event
        if event["type"] == "message":
            self._check_payload(event)
        else:
            assert set(event) == FIELDS[event["type"]], event
        if event["type"] != "lost":
            assert DEVICE.fullmatch(event["device"]) and SESSION.fullmatch(event["session"]), event
        assert event.get("reason", "bye") in REASONS, event

    def _check_payload(self, event: dict[str, Any]) -> None:
        form = set(event) - MESSAGE_FIELDS
        assert form in ({"text"}, {"base64"}), event
        if form == {"base64"} and self._encoding == "auto":
            assert not is_utf8(base64.b64decode(event["base64"], validate=True)), f"should be text: {event}"
        assert form == {"base64"} or self._encoding == "auto", f"should be base64: {event}"

    def _check_id(self, event: dict[str, Any]) -> None:
        if event["type"] == "lost":
            assert event["first"] == self._next_id and event["count"] == event["last"] - event["first"] + 1, event
            assert event["id"] > event["last"], event
        else:
            assert event["id"] == self._next_id, f"expected id {self._next_id}: {event}"
        self._next_id = event["id"] + 1

    def _check_session(self, event: dict[str, Any]) -> None:
        """One live session a device; nothing of a session after its end."""
        device, session = event["device"], event["session"]
        assert session not in self._ended, f"after the session's end: {event}"
        if event["type"] == "connected":
            assert device not in self._live, f"two sessions at once: {event}"
        else:
            assert self._live.get(device, session) == session, f"of another session than the live one: {event}"
        if event["type"] == "disconnected":
            self._live.pop(device, None)
            self._ended.add(session)
        else:
            self._live[device] = session
