"""Trains the course's multilayer perceptron (lecture 8) in NumPy, with the weights and items of the test in src/perceptron.rs.

    pip install numpy==2.4.6
    python perceptron.py
"""

import numpy as np

sigmoid = lambda x: 1 / (1 + np.exp(-x))


class MLP:
    def __init__(self, widths, weight):
        pairs = list(zip(widths, widths[1:]))
        self.weights = [np.array([[weight(n, i, j) for j in range(b)] for i in range(a)]) for n, (a, b) in enumerate(pairs)]

    def forward(self, x):
        self.activations = [x]
        for w in self.weights:
            self.activations.append(sigmoid(self.activations[-1] @ w))
        return self.activations[-1]

    def step(self, x, target, rate):
        error = target - self.forward(x)
        loss = np.average(error**2)
        updates = []
        for i in reversed(range(len(self.weights))):
            a = self.activations[i + 1]
            delta = error * a * (1 - a)
            updates.append((i, np.outer(self.activations[i], delta)))
            error = delta @ self.weights[i].T
        for i, update in updates:
            self.weights[i] += rate * update
        return loss


mlp = MLP([2, 5, 1], lambda n, i, j: ((3 * n + 5 * i + 7 * j) % 11) / 11)
number = lambda i: ((i * 37) % 101) / 202
items = np.array([[number(i), number(3 * i + 50)] for i in range(1000)])
errors = [np.mean([mlp.step(x, x.sum(keepdims=True), 0.1) for x in items]) for _ in range(50)]
print(f"errors of the first and the last epoch: {float(errors[0])}, {float(errors[-1])}")
print(f"0.3 + 0.1 = {mlp.forward(np.array([0.3, 0.1]))[0]}")
