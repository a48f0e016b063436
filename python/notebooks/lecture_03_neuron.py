# %% [markdown]
# # Lecture 3: an artificial neuron
#
# A neuron computes a number from several: the *net input*, which is the sum of its inputs times their
# weights, and the *activation function* of that. With the inputs $x$ and the weights $w$,
#
# $$h = \sum_i x_i w_i, \qquad y = f(h).$$

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import cantus

# %% [markdown]
# ## The activation function
#
# The sigmoid maps every number to one between 0 and 1. Far from 0 it is nearly constant: the neuron is
# *saturated*.


# %%
def sigmoid(h):
    return 1 / (1 + np.exp(-h))


h = np.linspace(-8, 8, 200)
figure, axis = plt.subplots(figsize=(5, 2.5))
axis.plot(h, sigmoid(h))
axis.set(xlabel="net input h", ylabel="sigmoid(h)")
axis.grid(alpha=0.3)

# %% [markdown]
# ## One neuron
#
# As a loop over the inputs, and as a dot product of NumPy.


# %%
def neuron(inputs, weights):
    net_input = 0.0
    for x, w in zip(inputs, weights, strict=True):
        net_input += x * w
    return 1 / (1 + math.exp(-net_input))


inputs, weights = np.array([0.2, 0.9, 0.4]), np.array([1.5, -0.6, 0.8])
print(f"loop {neuron(inputs, weights):.6f}, dot product {sigmoid(inputs @ weights):.6f}")

# %% [markdown]
# The same neuron as a layer of a network: one unit, with these weights. A layer also has a bias, which is added
# to the net input; here it is 0.

# %%
layer = {"type": "Dense", "units": 1, "activation": "sigmoid"}
network = cantus.nn.Network({"input_shape": [3], "layers": [layer]})
network.weights = {"layers.0.kernel": weights[:, None], "layers.0.bias": [0.0]}
output = network.predict(inputs[None])[0, 0]
print(f"layer {output:.6f}")
assert np.isclose(output, neuron(inputs, weights))

# %% [markdown]
# ## What one neuron can separate
#
# The output is above ½ where the net input is above 0: on one side of a straight line, if there are two
# inputs. The weights are the direction of the line's normal; the bias moves the line.

# %%
w, bias = np.array([1.0, 2.0]), -1.0
x1, x2 = np.meshgrid(np.linspace(-2, 2, 100), np.linspace(-2, 2, 100))
figure, axis = plt.subplots(figsize=(4, 3.2))
image = axis.contourf(x1, x2, sigmoid(w[0] * x1 + w[1] * x2 + bias), levels=20)
axis.contour(x1, x2, w[0] * x1 + w[1] * x2 + bias, levels=[0], colors="white")
axis.set(xlabel="input 1", ylabel="input 2", aspect="equal")
colours = figure.colorbar(image, label="output", ticks=[0, 0.25, 0.5, 0.75, 1])
