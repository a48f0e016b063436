# %% [markdown]
# # Lecture 7: backpropagation and gradient descent
#
# Training changes the weights so that an error on examples decreases. The gradient of the error with respect
# to a weight says by how much the error grows if the weight grows; gradient descent subtracts a multiple of
# it, the *learning rate* times the gradient.

# %%
import matplotlib.pyplot as plt
import numpy as np

import cantus


def sigmoid(h):
    return 1 / (1 + np.exp(-h))


# %% [markdown]
# ## The chain rule
#
# One neuron with one input $x$, one weight $w$ and the output $y = f(h)$, $h = w x$. For the target $t$ the
# error is $E = \frac{1}{2} (y - t)^2$. Its derivative is a product, one factor for each step of the
# computation:
#
# $$\frac{\partial E}{\partial w} = \frac{\partial E}{\partial y} \frac{\partial y}{\partial h}
# \frac{\partial h}{\partial w} = (y - t) \cdot y (1 - y) \cdot x.$$

# %%
x, target = 1.5, 0.2


def error(w):
    return 0.5 * (sigmoid(w * x) - target) ** 2


def gradient(w):
    y = sigmoid(w * x)
    return (y - target) * y * (1 - y) * x


w, step = 2.0, 1e-5
quotient = (error(w + step) - error(w - step)) / (2 * step)
print(f"chain rule {gradient(w):.8f}, difference quotient {quotient:.8f}")
assert np.isclose(gradient(w), quotient)

# %% [markdown]
# ## Gradient descent
#
# A small learning rate needs many steps; a large one moves past the minimum and back.

# %%
axis_of_weights = np.linspace(-4, 4, 200)
figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharey=True)
for axis, learning_rate in zip(axes, [2.0, 20.0, 80.0], strict=True):
    weights = [2.0]
    for _ in range(20):
        weights.append(weights[-1] - learning_rate * gradient(weights[-1]))
    axis.plot(axis_of_weights, error(axis_of_weights), color="grey")
    axis.plot(weights, error(np.array(weights)), "o-", markersize=3)
    axis.set(title=f"learning rate {learning_rate:g}", xlabel="weight")
    print(f"learning rate {learning_rate:>4g}: error {error(weights[-1]):.2e} after 20 steps")
label = axes[0].set_ylabel("error")

# %% [markdown]
# ## Two layers
#
# The error of a hidden layer is that of the layer behind it, times the weights between them: the error is
# propagated backwards. For two layers of sigmoid neurons and one example:

# %%
rng = np.random.default_rng(0)
w1, w2 = rng.uniform(-1, 1, (2, 3)), rng.uniform(-1, 1, (3, 1))
inputs, targets = np.array([[0.3, 0.7]]), np.array([[0.9]])

hidden = sigmoid(inputs @ w1)
outputs = sigmoid(hidden @ w2)
delta2 = 2 * (outputs - targets) * outputs * (1 - outputs)
delta1 = (delta2 @ w2.T) * hidden * (1 - hidden)
gradients = {"layers.0.kernel": inputs.T @ delta1, "layers.1.kernel": hidden.T @ delta2}

# %% [markdown]
# One step of gradient descent by the library changes the weights by the learning rate times these gradients.

# %%
layers = [{"type": "Dense", "units": units, "activation": "sigmoid"} for units in (3, 1)]
network = cantus.nn.Network({"input_shape": [2], "layers": layers})
network.weights = {"layers.0.kernel": w1, "layers.1.kernel": w2}
before = network.weights
rule = {"type": "SGD", "learning_rate": 1.0}
history = network.fit(inputs, targets, epochs=1, optimizer=rule, loss="mean_squared_error")
for name, expected in gradients.items():
    change = before[name] - network.weights[name]
    print(name, "differs by", f"{np.abs(change - expected).max():.1e}")
    assert np.allclose(change, expected, atol=1e-6)
