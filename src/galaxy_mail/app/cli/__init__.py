"""The command line: ``galaxy-mail``. It alone installs signal handlers and configures logging."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence

from galaxy_mail.app.cli.arguments import build_parser
from galaxy_mail.app.cli.codes import DONE, FAILED, INTERRUPTED, WRONG_SETTINGS
from galaxy_mail.app.cli.commands import COMMANDS
from galaxy_mail.app.cli.log import OnceAMinute
from galaxy_mail.app.cli.opened import gather_settings, opened
from galaxy_mail.app.cli.output import Output
from galaxy_mail.app.container import migration_script
from galaxy_mail.app.settings import MailSettings
from galaxy_mail.domain.errors import GalaxyMailError, InvalidSettings, StoreUnavailable

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed, 2 wrong settings, 130 interrupted.

    Raises:
        SystemExit: with 2 for wrong usage, with 0 after ``--help`` or ``--version``.
    """
    _write_anywhere()
    arguments = build_parser().parse_args(argv)
    arguments.argv = sys.argv[1:] if argv is None else list(argv)
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except (GalaxyMailError, BaseExceptionGroup) as error:
        return _complain(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough; spare them a second complaint at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "demo":
        from galaxy_mail.app.demo import run_demo

        return _await(run_demo(arguments.out))
    command = COMMANDS[arguments.command]
    settings = gather_settings(arguments, os.environ, command.needed)
    if arguments.command == "migrate" and arguments.sql:
        sys.stdout.write(migration_script(settings.schema))
        return DONE
    _log_to_stderr(logging.INFO if arguments.command == "worker" else logging.ERROR)
    return _await(_open_and_run(arguments, settings))


async def _open_and_run(arguments: argparse.Namespace, settings: MailSettings) -> int:
    command = COMMANDS[arguments.command]
    async with opened(settings, os.environ, ready=command.ready, lazy=command.lazy) as mail:
        return await command.run(mail, arguments, Output(sys.stdout, arguments.json))


def _await(main: Coroutine[None, None, int]) -> int:
    runner = asyncio.Runner(loop_factory=_loop_factory())
    try:
        return runner.run(main)
    finally:
        # The work is done. A loop that cannot be closed (no file descriptor is left for it) is the system's to clear up.
        with contextlib.suppress(OSError, RuntimeError):
            runner.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster event loop of the extra ``uvloop``, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _write_anywhere() -> None:
    """A terminal or a pipe that cannot show a letter gets its code instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _log_to_stderr(level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(OnceAMinute())
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", handlers=[handler])


def _complain(error: BaseException) -> int:
    """Say what is wrong, and which code says it too; a bug of ours goes on as it is, with its traceback."""
    causes = list(_causes(error))
    if not all(isinstance(cause, GalaxyMailError) for cause in causes):
        raise error
    for text in dict.fromkeys(map(_told, causes)):
        print(f"galaxy-mail: {text}", file=sys.stderr)
    return WRONG_SETTINGS if any(isinstance(cause, InvalidSettings) for cause in causes) else FAILED


def _told(cause: BaseException) -> str:
    unreached = isinstance(cause, StoreUnavailable) and cause.operation == "connect"
    return f"{cause}: is the database there, and dsn right?" if unreached else str(cause)


def _causes(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    else:
        yield error
