"""A trial of achalasia treatment, from its data to its tables.

`inputs` reads plan, clinical data and recordings, `outcome` and `gather` say what became of
whom, `tables` and `outputs` make the report. `statistics` holds the methods; they need the
extra: ``pip install hrm[trial]``.
"""
