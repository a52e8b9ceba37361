"""Run the command line as ``python -m hrm``."""

from __future__ import annotations

from hrm.cli.main import main

if __name__ == "__main__":
    main(prog_name="hrm")
