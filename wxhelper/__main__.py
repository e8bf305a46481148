"""``python -m wxhelper``: the same door as the ``wxhelper`` command."""

import sys

from wxhelper.door import main

if __name__ == "__main__":
    sys.exit(main())
