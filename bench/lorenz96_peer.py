"""Time numpy's Runge-Kutta 4 on Lorenz-96, 40 members of 40 variables: the peer of `locum bench lorenz96`.

    python lorenz96_peer.py
"""
import time

import numpy as np


def tendency(x):
    return (np.roll(x, -1, 1) - np.roll(x, 2, 1)) * np.roll(x, 1, 1) - x + 8.0


x, h, steps, best = 8 + np.random.default_rng(0).standard_normal((40, 40)), 0.05, 500, 1e9
for _ in range(5):
    start = time.perf_counter()
    for _ in range(steps):
        a = tendency(x)
        b = tendency(x + h / 2 * a)
        c = tendency(x + h / 2 * b)
        d = tendency(x + h * c)
        x = x + h / 6 * (a + 2 * (b + c) + d)
    best = min(best, (time.perf_counter() - start) / steps)
print(f"lorenz96, 40 variables, 40 members: {1e6 * best:.2f} µs a step")
