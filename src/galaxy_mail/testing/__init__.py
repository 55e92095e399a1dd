"""Shipped for tests: port contracts and servers to test against; nothing else imports this.

``galaxy_mail.testing.contracts`` holds, for each port of ``galaxy_mail.domain.ports``, its laws as a pytest class. An adapter
of your own is right when it passes them unmodified. Subclass, and say in a fixture how the adapter is made:

.. code-block:: python

    from galaxy_mail.testing.contracts.admin_notifier import AdminNotifierContract

    class TestPagerNotifier(AdminNotifierContract):
        @pytest.fixture
        def notifier(self) -> PagerNotifier:
            return PagerNotifier(FakePager())

What else a contract needs is a further fixture of its class, and raises ``NotImplementedError`` until it is given. Where an
adapter cannot keep a law, override that test beside the others with ``pytest.mark.xfail(reason=…)``: an exemption is to be
seen. The contracts need pytest, pytest-asyncio and Hypothesis.
"""
