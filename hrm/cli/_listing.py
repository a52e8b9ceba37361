"""First sentence of each subcommand's help, so that ``hrm --help`` need not import them all.

A test holds them to the commands; one that is missing here is imported for its sentence.
"""

from __future__ import annotations

SHORT_HELP = {
    "info": "Show versions and what is known, or look at FILE without reading it whole.",
    "analyze": "Measure the recording in FILE and print a summary.",
    "view": "Open FILE in a browser on this machine.",
    "explain": "Show where a number of FILE came from.",
    "quality": "Say how good the recording in FILE is, and what an analysis does about it.",
    "review": "Correct what was found in FILE, and sign it off; nothing is overwritten.",
    "report": "Write the report on FILE, or FILE and OTHER side by side: two visits, two readings.",
    "worklist": "Say where every recording of FOLDER stands: new, in review, signed, or in disagreement.",
    "audit": "Check the chain of every review log in FOLDER: intact, or its first broken line.",
    "export": "Write the results of the recording in FILE for other systems.",
    "batch": "Measure every recording in INPUT...",
    "results": "List what the batch in DIR has found.",
    "batch-report": "Write what the batch in DIR amounts to as one HTML page.",
    "compare": "Compare the results A with the results B, matched by participant, visit and swallow.",
    "convert": "Convert FILE to hrm's own format (netCDF-4/HDF5) in OUT, without the patient's identity.",
    "deidentify": "Write the recording of IN, in any format, to OUT (hrm's own) without the patient's identity.",
    "catheters": "List the catheters that are known, or show the positions of MODEL.",
    "formats": "List the formats that are read, each layout with what our knowledge of it rests on.",
    "metrics": "List the metrics with their definitions, or show everything about NAME.",
    "layout": "Check the layout in FILE, or write one to fill in (--init).",
    "phantom": "Write a synthetic study to OUT.",
    "trial": "Outcome tables of a two-arm noninferiority trial.",
    "warm": "Compile what an analysis uses, once after an installation or an upgrade.",
}
