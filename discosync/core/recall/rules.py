"""The rules by which records are read: what a run remembered holds only as long as they stay.

Python's version and its Unicode tables count too: they decide what a text's canonical form is.
"""

import sys
import unicodedata

from discosync import __version__

RULES_VERSION = 2
"""Raise it when a record may be read, or a plan may decide, in another way than before.

A test pins a digest of the modules that read and plan: when one of them changes, it fails and says
what to do.
"""

RULES = "/".join(
    (
        str(RULES_VERSION),
        __version__,
        unicodedata.unidata_version,
        *map(str, sys.version_info[:2]),
    )
)
"""The rules of this very program, as a text to compare."""
