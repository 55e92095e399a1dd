"""The laws of the Entropy port."""

from __future__ import annotations

from uuid import RFC_4122

import pytest

from galaxy_mail.domain.ports import Entropy

DRAWS = 1_000


class EntropyContract:
    """What every Entropy does. Override ``entropy``."""

    @pytest.fixture
    def entropy(self) -> Entropy:
        """The source under test."""
        raise NotImplementedError

    def test_ids_are_distinct_version_7(self, entropy: Entropy) -> None:
        """No id comes twice, and each one says in its bits that it is a UUIDv7."""
        ids = [entropy.delivery_id() for _ in range(DRAWS)]
        assert len(set(ids)) == DRAWS
        assert {(drawn.variant, drawn.version) for drawn in ids} == {(RFC_4122, 7)}

    def test_dice_stay_in_their_range(self, entropy: Entropy) -> None:
        """Dice fall in [0, 1), and not always alike."""
        thrown = [entropy.dice() for _ in range(DRAWS)]
        assert all(0.0 <= number < 1.0 for number in thrown)
        assert len(set(thrown)) > 1
