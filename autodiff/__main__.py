"""``python -m autodiff``."""

import sys

from .cli import main

sys.exit(main())
