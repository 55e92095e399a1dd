"""The laws of the ports, one module a port; the names of the tests are those in the docstrings of ``domain/ports.py``."""

from pkgutil import iter_modules

import pytest

# A broken law is shown with its values, like an assertion in a test module.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))
