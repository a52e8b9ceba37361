"""The metrics of one swallow and of the resting junction, one module each.

Every function takes the pressure field ``(depth, time)`` of one window as a
DataArray, the landmarks it needs as numbers, and the parameters; it returns a
`Measurement`: a value that is NaN when it cannot be measured, and why.
"""
