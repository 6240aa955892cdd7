"""``python -m fairdistill`` is the command ``fairdistill``."""

import sys

from fairdistill.cli import main

if __name__ == "__main__":
    sys.exit(main())
