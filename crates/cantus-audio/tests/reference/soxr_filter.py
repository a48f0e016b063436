"""The constants of src/resample/filter.rs: a Kaiser-windowed sinc fitted to the measured impulse response of soxr.

    pip install soxr==1.1.0 numpy==2.4.6 scipy==1.17.1
    python soxr_filter.py

Output sample n of a rate change by L / M is sum_k x[k] h(n M - k L): impulses at L neighbouring positions give the
whole h. Time is counted in periods of the narrower rate; the fit is cutoff * sinc(cutoff t) * kaiser(t / half_width).
Prints: ratio, cutoff (part of the narrower Nyquist frequency), beta, half_width (periods), largest misfit (h(0) is 0.957).

    44100 22050  0.956872 13.040   97.250 7.5e-08
    22050 44100  0.956872 13.040   97.250 7.7e-08
    48000 22050  0.956841 15.954  110.056 9.3e-05
    32000 22050  0.956851 15.216  106.757 9.3e-05
    16000 22050  0.956838 16.061  110.454 8.5e-05
    48000 44100  0.956841 15.954  110.056 9.3e-05
    22050 16000  0.956843 15.979  109.671 1.3e-04
"""

import math

import numpy as np
import soxr
from scipy.optimize import least_squares


def impulse_response(source, target):
    divisor = math.gcd(source, target)
    l, m = target // divisor, source // divisor
    n, reach, h = 6000, 130 * max(l, m), {}
    for position in range(n // 2, n // 2 + l):
        x = np.zeros(n)
        x[position] = 1
        y = soxr.resample(x, source, target, quality="HQ")
        t = np.arange(len(y)) * m - position * l
        near = np.abs(t) < reach
        h.update(zip(t[near], y[near]))
    period = max(l, m)
    t = np.array(sorted(h))
    return t / period, np.array([h[i] for i in t]) * period / l


def windowed_sinc(t, cutoff, beta, half_width):
    inside = np.sqrt(np.maximum(0, 1 - (t / half_width) ** 2))
    window = np.where(np.abs(t) < half_width, np.i0(beta * inside) / np.i0(beta), 0)
    return cutoff * np.sinc(cutoff * t) * window


for source, target in [
    (44100, 22050), (22050, 44100), (48000, 22050), (32000, 22050), (16000, 22050), (48000, 44100), (22050, 16000),
]:
    t, h = impulse_response(source, target)
    fit = least_squares(lambda p: windowed_sinc(t, *p) - h, [0.9565, 14, 100], x_scale=[0.01, 1, 10])
    cutoff, beta, half_width = fit.x
    print(f"{source} {target}  {cutoff:.6f} {beta:.3f} {half_width:8.3f} {np.abs(fit.fun).max():.1e}")
