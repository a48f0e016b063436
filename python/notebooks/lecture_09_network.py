# %% [markdown]
# # Lecture 9: a network from layers
#
# The perceptron of lecture 8 by a library of layers: the architecture is a list, and training, evaluation and
# prediction are functions of it. The task: given two numbers below 0.5, predict their sum.

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
