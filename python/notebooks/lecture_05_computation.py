# %% [markdown]
# # Lecture 5: computation in a neural network
#
# One neuron separates its inputs by a straight line. Neurons in layers compute more: each layer reads the
# outputs of the one before. With a row of weights for each input and a column for each neuron, a layer is a
# product of matrices and an activation function:
#
# $$h = x W + b, \qquad a = f(h).$$

# %%
import matplotlib.pyplot as plt
import numpy as np

import cantus


def sigmoid(h):
    return 1 / (1 + np.exp(-h))


# %% [markdown]
# ## A function that one neuron cannot compute
#
# Exclusive or: 1 if one of two inputs is 1, but not both. No straight line separates the two classes. Two
# hidden neurons and an output neuron do: the first is active if at least one input is 1, the second if both
# are, and the output neuron subtracts the second from the first.

# %%
x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
w1, b1 = np.array([[20.0, 20.0], [20.0, 20.0]]), np.array([-10.0, -30.0])
w2, b2 = np.array([[20.0], [-20.0]]), np.array([-10.0])

hidden = sigmoid(x @ w1 + b1)
output = sigmoid(hidden @ w2 + b2)
print("inputs   hidden       output")
for row in zip(x, hidden, output, strict=True):
    print("  ".join(str(values.round(2)) for values in row))
assert (output[:, 0].round() == [0, 1, 1, 0]).all()

# %% [markdown]
# In the plane of the inputs, each hidden neuron is active on one side of a line; the output neuron is active
# between the lines.

# %%
axis1, axis2 = np.meshgrid(np.linspace(-0.5, 1.5, 120), np.linspace(-0.5, 1.5, 120))
plane = np.stack([axis1.ravel(), axis2.ravel()], axis=1)
of_hidden = sigmoid(plane @ w1 + b1)
of_output = sigmoid(of_hidden @ w2 + b2)
figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True)
panels = [("hidden neuron 1", of_hidden[:, 0]), ("hidden neuron 2", of_hidden[:, 1]), ("output", of_output)]
for axis, (name, values) in zip(axes, panels, strict=True):
    axis.contourf(axis1, axis2, values.reshape(axis1.shape), levels=20)
    axis.scatter(x[:, 0], x[:, 1], c=["white", "red", "red", "white"], edgecolor="black")
    axis.set(title=name, xlabel="input 1", aspect="equal")
label = axes[0].set_ylabel("input 2")

# %% [markdown]
# ## The same network
#
# The layers and their shapes: the batch size, here `None`, is the number of examples, which may be any.

# %%
network = cantus.nn.Network(
    {
        "input_shape": [2],
        "layers": [
            {"type": "Dense", "units": 2, "activation": "sigmoid"},
            {"type": "Dense", "units": 1, "activation": "sigmoid"},
        ],
    }
)
network.weights = {
    "layers.0.kernel": w1,
    "layers.0.bias": b1,
    "layers.1.kernel": w2,
    "layers.1.bias": b2,
}
assert np.allclose(network.predict(x), output, atol=1e-5)
print(network.summary())
