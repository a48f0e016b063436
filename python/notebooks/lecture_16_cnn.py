# %% [markdown]
# # Lectures 15 and 16: convolutional networks
#
# A convolution slides a small grid of weights, the kernel, over its input; the output is large where the
# input resembles the kernel. The weights are shared by all positions, so that there are few of them. Pooling
# keeps the maximum of each block and halves the size.

# %%
import numpy as np
from _data import SHORT, segments, split, standardised

import cantus

# %% [markdown]
# ## One convolution
#
# A kernel that responds to vertical edges, on an image with one edge. The layer is given this kernel as its
# weights.

# %%
image = np.zeros((5, 6), dtype=np.float32)
image[:, 3:] = 1
layer = {"type": "Conv2D", "filters": 1, "kernel_size": [3, 3], "activation": "linear"}
edges = cantus.nn.Network({"input_shape": [5, 6, 1], "layers": [layer]})
kernel = np.array([[-1, 0, 1]] * 3, dtype=np.float32)
edges.weights = {"layers.0.kernel": kernel.reshape(3, 3, 1, 1), "layers.0.bias": [0.0]}
print(edges.predict(image[None])[0, :, :, 0])

# %% [markdown]
# ## A convolutional network on MFCCs
#
# A segment is an image of 130 frames by 13 coefficients. Three convolutions with max pooling and batch
# normalisation, then a dense layer.

# %%
x, y, tracks, labels = segments()
is_train, is_test = split(tracks)
x = standardised(x, is_train)

pool = {"type": "MaxPool2D", "pool_size": [3, 3], "strides": [2, 2], "padding": "same"}


def block(kernel_size):
    convolution = {"type": "Conv2D", "filters": 32, "kernel_size": kernel_size, "activation": "relu"}
    return [convolution, pool, {"type": "BatchNormalization"}]


layers = [
    *block([3, 3]),
    *block([3, 3]),
    *block([2, 2]),
    {"type": "Flatten"},
    {"type": "Dense", "units": 64, "activation": "relu"},
    {"type": "Dropout", "rate": 0.3},
    {"type": "Dense", "units": len(labels), "activation": "softmax"},
]
network = cantus.nn.Network({"input_shape": [*x.shape[1:], 1], "layers": layers}, seed=0)
print(network.summary())

# %%
history = network.fit(
    x[is_train],
    y[is_train],
    epochs=1 if SHORT else 30,
    learning_rate=1e-3,
    validation_data=(x[is_test], y[is_test]),
)
figure = history.plot()

# %%
print(
    "accuracy on the segments of other tracks:",
    round(network.evaluate(x[is_test], y[is_test])["accuracy"], 3),
)
probabilities = network.predict(x[is_test][:1])[0]
print("the first is", labels[y[is_test][0]], "- predicted:", labels[probabilities.argmax()])
