"""ManoView ASCII ("Save Selected Data"), with and without its header text.

What is known about the layouts comes from published code that parses them.
Channel 1 is the most proximal. The impedance block uses the labels of the
pressure block again, so columns are read by position.
"""

from __future__ import annotations

from hrm.io.manoview.headed import ManoViewReader
from hrm.io.manoview.headless import ManoViewHeadlessReader

__all__ = ["ManoViewHeadlessReader", "ManoViewReader"]
