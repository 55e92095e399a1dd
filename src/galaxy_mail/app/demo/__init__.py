"""``galaxy-mail demo``: the whole of it on one machine, everything real, with an account of what became of each mail."""

from galaxy_mail.app.demo.play import run_demo

__all__ = ["run_demo"]
