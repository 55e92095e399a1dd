"""``python -m galaxy_mail.app.cli``, where the script ``galaxy-mail`` is not on the path."""

import sys

from galaxy_mail.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
