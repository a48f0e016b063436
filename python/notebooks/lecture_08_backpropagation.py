# %% [markdown]
# # Lecture 8: training from scratch
#
# The perceptron of lecture 6 with backpropagation and gradient descent, in NumPy. The task: given two numbers
# below 0.5, predict their sum.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import cantus

SHORT = os.environ.get("CANTUS_NOTEBOOKS") == "short"

# %% [markdown]
# ## The perceptron


# %%
class Perceptron:
    """Layers of sigmoid neurons with biases, trained by gradient descent on the mean squared error."""

    def __init__(self, sizes, seed=0):
        rng = np.random.default_rng(seed)
        shapes = zip(sizes[:-1], sizes[1:], strict=True)
        self.weights = [rng.uniform(-1, 1, shape) for shape in shapes]
        self.biases = [np.zeros(size) for size in sizes[1:]]

    def forward(self, x):
        """Return the outputs of all layers; the first are the inputs."""
        outputs = [x]
        for weights, biases in zip(self.weights, self.biases, strict=True):
            outputs.append(1 / (1 + np.exp(-outputs[-1] @ weights - biases)))
        return outputs

    def step(self, x, y, learning_rate):
        """Change the weights by the gradient on a batch, and return its error before."""
        outputs = self.forward(x)
        error = outputs[-1] - y
        gradient = 2 * error / error.size
        for layer in reversed(range(len(self.weights))):
            # From the outputs of the layer to its net inputs, by the derivative of the sigmoid.
            delta = gradient * outputs[layer + 1] * (1 - outputs[layer + 1])
            gradient = delta @ self.weights[layer].T
            self.weights[layer] -= learning_rate * outputs[layer].T @ delta
            self.biases[layer] -= learning_rate * delta.sum(axis=0)
        return np.mean(error**2)


# %% [markdown]
# ## Training in batches
#
# An *epoch* is a pass over all examples; the weights change after each batch of 40.

# %%
rng = np.random.default_rng(0)
x = rng.uniform(0, 0.5, (2000, 2))
y = x.sum(axis=1, keepdims=True)
perceptron = Perceptron([2, 5, 1])
errors = []
for _ in range(3 if SHORT else 60):
    batches = rng.permutation(len(x)).reshape(-1, 40)
    errors.append(np.mean([perceptron.step(x[batch], y[batch], 1.0) for batch in batches]))
figure, axis = plt.subplots(figsize=(5, 2.5))
axis.semilogy(np.arange(1, len(errors) + 1), errors)
axis.set(xlabel="epoch", ylabel="mean squared error")
for a, b in [(0.1, 0.2), (0.3, 0.1)]:
    print(f"{a} + {b} is about {perceptron.forward(np.array([[a, b]]))[-1][0, 0]:.3f}")

# %% [markdown]
# ## The same training with the library
#
# From the same weights, with all examples in one batch so that their order does not matter, the errors of all
# epochs are equal.

# %%
n_epochs = 5 if SHORT else 100
perceptron = Perceptron([2, 5, 1])
layers = [{"type": "Dense", "units": units, "activation": "sigmoid"} for units in (5, 1)]
network = cantus.nn.Network({"input_shape": [2], "layers": layers})
network.weights = {f"layers.{i}.kernel": weights for i, weights in enumerate(perceptron.weights)}
history = network.fit(
    x,
    y,
    epochs=n_epochs,
    batch_size=len(x),
    optimizer={"type": "SGD", "learning_rate": 1.0},
    loss="mean_squared_error",
)
ours = [perceptron.step(x, y, 1.0) for _ in range(n_epochs)]
theirs = history.history["loss"]
print(f"after {n_epochs} epochs: {ours[-1]:.7f} from scratch, {theirs[-1]:.7f} by the library")
assert np.allclose(ours, theirs, rtol=1e-3)
