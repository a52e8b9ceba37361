"""What Hypothesis feeds to the kernels: small pressure arrays of every shape."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

PRESSURES = st.floats(-60, 400, width=32)
WITH_GAPS = st.one_of(PRESSURES, PRESSURES, PRESSURES, st.just(float("nan")))


def fields(elements=WITH_GAPS, rows=(0, 7), columns=(0, 9)):
    """Arrays (depth, time) float32, empty ones included."""
    shapes = st.tuples(st.integers(*rows), st.integers(*columns))
    return shapes.flatmap(lambda shape: npst.arrays(np.float32, shape, elements=elements))


@st.composite
def sensors(draw, elements=WITH_GAPS):
    """Values (sensor, time) at irregular depths, and a grid that reaches past both ends."""
    steps = draw(st.lists(st.integers(2, 40), min_size=1, max_size=6))
    first = draw(st.integers(-30, 30))
    depth = np.cumsum([first, *steps]) / 10
    values = draw(fields(elements, rows=(depth.size, depth.size), columns=(0, 4)))
    inside = draw(st.lists(st.integers(0, 100), max_size=6))
    grid = depth[0] + (depth[-1] - depth[0]) * np.array(inside, float) / 100
    # The end sensors, every other sensor, and just outside: the places where loops go wrong.
    return values, depth, np.unique([depth[0] - 0.1, *depth, *grid, depth[-1] + 0.1])
