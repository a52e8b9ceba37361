"""The tables of a trial's report, each in a module of its own; `assembled` puts them in order."""
