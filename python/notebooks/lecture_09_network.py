# %% [markdown]
# # Lectures 6 to 9: a network that learns to add
#
# A multilayer perceptron has an input layer, hidden layers and an output layer. A neuron computes the
# weighted sum of its inputs and applies an activation function. Training changes the weights so that the
# error on examples decreases: backpropagation computes the gradient of the error with respect to each weight,
# gradient descent subtracts a multiple of it.
#
# The example: given two numbers below 0.5, predict their sum.

# %%
import os

import numpy as np

import cantus

SHORT = os.environ.get("CANTUS_NOTEBOOKS") == "short"
rng = np.random.default_rng(0)

x = rng.uniform(0, 0.5, (5000, 2))
y = x.sum(axis=1, keepdims=True)
n_test = 1500
x_test, x_train, y_test, y_train = x[:n_test], x[n_test:], y[:n_test], y[n_test:]

# %% [markdown]
# ## One neuron
#
# With NumPy: the weighted sum of the inputs, and the sigmoid of it.


# %%
def sigmoid(h):
    return 1 / (1 + np.exp(-h))


inputs, weights = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.7, 0.2])
print(f"output of the neuron: {sigmoid(inputs @ weights):.4f}")

# %% [markdown]
# ## The network: 2 inputs, 5 hidden neurons, 1 output

# %%
network = cantus.nn.Network(
    {
        "input_shape": [2],
        "layers": [
            {"type": "Dense", "units": 5, "activation": "sigmoid"},
            {"type": "Dense", "units": 1, "activation": "sigmoid"},
        ],
    },
    seed=1,
)
print(network.summary())

# %% [markdown]
# ## Training by gradient descent

# %%
history = network.fit(
    x_train,
    y_train,
    epochs=5 if SHORT else 100,
    optimizer={"type": "SGD", "learning_rate": 0.1},
    loss="mean_squared_error",
    validation_data=(x_test, y_test),
)
figure = history.plot()

# %% [markdown]
# The error on examples that took no part in the training is as small as on those that did.

# %%
print("mean squared error on the test part:", round(network.evaluate(x_test, y_test)["loss"], 5))
for a, b in [(0.1, 0.2), (0.2, 0.2)]:
    print(f"{a} + {b} is about {network.predict([[a, b]])[0, 0]:.3f}")

# %% [markdown]
# ## The gradient
#
# Backpropagation is exact: it equals the difference quotient. For one example and one weight, the change of
# the error when the weight changes by a small amount:

# %%
name, step = "layers.1.bias", 1e-2
before = network.weights
losses = []
for change in (-step, step):
    network.weights = {name: before[name] + change}
    losses.append(network.evaluate(x_test[:1], y_test[:1])["loss"])
network.weights = before
quotient = (losses[1] - losses[0]) / (2 * step)

output = network.predict(x_test[:1])[0, 0]
gradient = 2 * (output - y_test[0, 0]) * output * (1 - output)
print(f"difference quotient {quotient:.5f}, chain rule {gradient:.5f}")
assert np.isclose(quotient, gradient, atol=1e-3)
