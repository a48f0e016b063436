# %% [markdown]
# # Lecture 16: a convolutional network
#
# Convolutions, the pooling of their outputs and dense layers, on the MFCCs of segments.

# %%
from _data import SHORT, segments, split, standardised

import cantus

# %% [markdown]
# ## The network
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
