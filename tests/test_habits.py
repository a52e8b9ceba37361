"""Files that people and services read beside the code agree with it."""

import re
from pathlib import Path

import hrm

ROOT = Path(__file__).resolve().parent.parent


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_names_this_version():
    assert f"version: {hrm.__version__}\n" in text("CITATION.cff")


def test_hooks_run_what_lint_runs():
    lint = re.search(r"\nlint:.*\n((?:\t.*\n)+)", text("Makefile")).group(1)
    wanted = [line.split("/", 1)[1].removesuffix(" .") for line in lint.splitlines()]
    hooks = re.findall(r"entry: \.venv/bin/(.*)", text(".pre-commit-config.yaml"))
    assert [hook.removesuffix(" --force-exclude") for hook in hooks] == wanted


def test_every_target_is_in_the_help():
    makefile = text("Makefile")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    assert targets == explained == set(phony.split())
