"""Compiled loops over plain arrays: the only place that knows numba.

Arrays are C-contiguous; pressure is ``(sensor, time)`` or ``(depth, time)``
float32, scalars and accumulators are float64. Kernels never raise: they return
NaN or a status value. Every kernel has a slow plain-NumPy twin in the tests.
"""
