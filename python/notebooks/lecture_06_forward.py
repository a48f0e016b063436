# %% [markdown]
# # Lecture 6: a network from scratch
#
# A multilayer perceptron with any number of layers, in NumPy: random weights, and the forward pass. Without
# training its outputs mean nothing.

# %%
import matplotlib.pyplot as plt
import numpy as np

import cantus

# %% [markdown]
# ## The forward pass


# %%
class Perceptron:
    """Layers of sigmoid neurons without biases."""

    def __init__(self, sizes, seed=0):
        rng = np.random.default_rng(seed)
        shapes = zip(sizes[:-1], sizes[1:], strict=True)
        self.weights = [rng.uniform(-1, 1, shape) for shape in shapes]

    def forward(self, x):
        """Return the outputs of all layers; the first are the inputs."""
        outputs = [x]
        for weights in self.weights:
            outputs.append(1 / (1 + np.exp(-outputs[-1] @ weights)))
        return outputs


perceptron = Perceptron([3, 3, 5, 2])
x = np.random.default_rng(1).uniform(0, 1, (4, 3))
outputs = perceptron.forward(x)
for number, values in enumerate(outputs):
    print(f"layer {number}: {values.shape}")
print(outputs[-1].round(3))

# %% [markdown]
# ## The same with the library
#
# A network with the same layers. Its biases are 0 before training; with the weights of the class above it
# computes the same outputs.

# %%
layers = [{"type": "Dense", "units": units, "activation": "sigmoid"} for units in (3, 5, 2)]
network = cantus.nn.Network({"input_shape": [3], "layers": layers})
network.weights = {f"layers.{i}.kernel": weights for i, weights in enumerate(perceptron.weights)}
assert np.allclose(network.predict(x), outputs[-1], atol=1e-6)
print("largest difference:", np.abs(network.predict(x) - outputs[-1]).max())

# %% [markdown]
# Jupyter draws a network from its layers:

# %%
network

# %% [markdown]
# Its neurons and weights: red lines are positive weights, blue ones negative, thicker ones larger.

# %%
figure, axis = plt.subplots(figsize=(6, 3))
places = [[(column, row - (size - 1) / 2) for row in range(size)] for column, size in enumerate([3, 3, 5, 2])]
for weights, left, right in zip(perceptron.weights, places[:-1], places[1:], strict=True):
    for (i, j), weight in np.ndenumerate(weights):
        (x0, y0), (x1, y1) = left[i], right[j]
        axis.plot(
            [x0, x1], [y0, y1], color="tab:red" if weight > 0 else "tab:blue", linewidth=2 * abs(weight)
        )
for column in places:
    axis.scatter(*zip(*column, strict=True), s=250, color="white", edgecolor="black", zorder=2)
axis.margins(0.15)
limits = axis.axis("off")
