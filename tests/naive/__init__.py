"""Slow, obvious twins of what hrm computes: plain Python and NumPy, nothing of hrm.

They follow the written definitions to the letter, one sample at a time, so that a
reader can check them by eye. Speed, and agreement in style with hrm, are no goals.
"""
