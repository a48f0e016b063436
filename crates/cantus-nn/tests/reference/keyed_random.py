"""The numbers that `tests/first_weights.rs` and `src/epoch_order.rs` pin, from the papers and without Cantus.

Python 3.11 or later, no packages: `python keyed_random.py`. It is the generator of `cantus-random` (SplitMix64 with a step
from `mixGamma`, Steele, Lea & Flood 2014; OpenJDK's SplittableRandom), FNV-1a, Box & Muller 1958, Glorot & Bengio 2010,
He et al. 2015, and Gram & Schmidt, written a second time.
"""

import math

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def mix_gamma(z):
    z = ((z ^ (z >> 33)) * 0xFF51AFD7ED558CCD) & MASK
    z = ((z ^ (z >> 33)) * 0xC4CEB9FE1A85EC53) & MASK
    z = (z ^ (z >> 33)) | 1
    return z ^ 0xAAAAAAAAAAAAAAAA if (z ^ (z >> 1)).bit_count() < 24 else z


def key(k, part):
    return mix(((k ^ ((part + 1) * GOLDEN & MASK)) + GOLDEN) & MASK)


def text_key(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


class KeyedRng:
    def __init__(self, *parts):
        self.state, step = 0, 1
        for part in parts:
            self.state, step = key(self.state, part), key(step, part)
        self.step = mix_gamma(step)

    def next_u64(self):
        self.state = (self.state + self.step) & MASK
        return mix(self.state)

    def uniform(self):
        return (self.next_u64() >> 11) / (1 << 53)

    def below(self, n):
        return self.next_u64() * n >> 64

    def normal(self):
        u, v = 1 - self.uniform(), self.uniform()
        return math.sqrt(-2 * math.log(u)) * math.cos(math.tau * v)

    def shuffled(self, n):
        items = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


def first_weights(seed, layer, tensor):
    return KeyedRng(seed, text_key("first weights"), layer, tensor)


def glorot_uniform(rng, inputs, outputs):
    limit = math.sqrt(6 / (inputs + outputs))
    return [limit * (2 * rng.uniform() - 1) for _ in range(inputs * outputs)]


def he_normal(rng, inputs, outputs):
    def truncated():
        while abs(x := rng.normal()) > 2:
            pass
        return x

    deviation = math.sqrt(2 / inputs) / 0.87962566103423978
    return [deviation * truncated() for _ in range(inputs * outputs)]


def orthogonal(rng, rows, columns):
    vectors = []
    for _ in range(min(rows, columns)):
        v = [rng.normal() for _ in range(max(rows, columns))]
        for other in vectors + vectors:
            dot = sum(a * b for a, b in zip(v, other))
            v = [a - dot * b for a, b in zip(v, other)]
        norm = math.sqrt(sum(a * a for a in v))
        vectors.append([a / norm for a in v])
    wide = rows <= columns
    return [vectors[r][c] if wide else vectors[c][r] for r in range(rows) for c in range(columns)]


if __name__ == "__main__":
    for epoch in (0, 1):
        print("order of epoch", epoch, KeyedRng(0, text_key("example order"), epoch).shuffled(10))
    for name, values in [
        ("glorot_uniform", glorot_uniform(first_weights(0, 0, 0), 3, 4)),
        ("he_normal", he_normal(first_weights(0, 1, 0), 4, 3)),
        ("orthogonal", orthogonal(first_weights(0, 2, 0), 3, 3)),
    ]:
        print(name, ", ".join(f"{value:.7f}" for value in values[:6]))
