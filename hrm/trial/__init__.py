"""A trial of achalasia treatment: its statistics.

`hrm.trial.statistics` holds the methods. They need the extra: ``pip install hrm[trial]``.
"""
