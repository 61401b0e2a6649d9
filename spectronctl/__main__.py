"""`python -m spectronctl`"""

import sys

from spectronctl.cli import main

sys.exit(main())
