"""django-post_office: its own `send_queued_mail` with a process for each core and five threads in each.

Tuned as its README says: several processes and threads, connections kept within a batch, a larger batch, templates rendered
on delivery, failures logged only. Django renders and composes; django.core.mail sends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command

BATCH, THREADS = 1000, 5
TEMPLATES = Path(__file__).parent.parent / "templates" / "bench"


def configure(dsn: str, port: str = "0") -> None:
    parts = urlsplit(dsn)
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path.strip("/"),
                "USER": parts.username,
                "PASSWORD": parts.password,
                "HOST": parts.hostname,
                "PORT": parts.port,
            }
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "post_office"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=int(port),
        POST_OFFICE={"BATCH_SIZE": BATCH, "THREADS_PER_PROCESS": THREADS, "LOG_LEVEL": 1},
        USE_TZ=True,
    )
    django.setup()


def fill(dsn: str, number: str) -> None:
    configure(dsn)
    call_command("migrate", verbosity=0)
    from post_office import mail
    from post_office.models import EmailTemplate

    subject, text, html = (
        (TEMPLATES / name).read_text() for name in ("subject.txt", "body.txt", "body.html")
    )
    template = EmailTemplate.objects.create(
        name="bench", subject=subject.strip(), content=text, html_content=html
    )
    mail.send_many(
        [
            {
                "recipients": ["Ada Lovelace <ada@example.com>"],
                "sender": "Galaxy <no-reply@bench.example>",
                "template": template,
                "context": {"name": "Ada", "code": f"{place:06}", "ttl": 5},
                "headers": {"Message-ID": f"<{place}@bench.example>"},
                "render_on_delivery": True,
            }
            for place in range(int(number))
        ]
    )


def drain(dsn: str, port: str) -> None:
    configure(dsn, port)
    lock = f"/tmp/galaxy-mail-bench-{os.getpid()}"  # a lock file of its own: another run has another
    call_command("send_queued_mail", processes=os.cpu_count(), lockfile=lock, verbosity=0)


def count(dsn: str) -> None:
    configure(dsn)
    from post_office.models import STATUS, Email

    print(Email.objects.filter(status=STATUS.sent).count())


VERBS: dict[str, Callable[..., None]] = {"fill": fill, "drain": drain, "count": count}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
