"""All targets, by name."""

from __future__ import annotations

from tests.fuzz.deployment import SETTINGS, VERDICT
from tests.fuzz.engine import Target
from tests.fuzz.messages import ADDRESS, MESSAGE
from tests.fuzz.relay import RELAY
from tests.fuzz.replies import REPLIES
from tests.fuzz.session import SESSION

TARGETS: dict[str, Target] = {
    target.name: target for target in (REPLIES, SESSION, RELAY, MESSAGE, ADDRESS, VERDICT, SETTINGS)
}
