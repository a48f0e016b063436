# %% [markdown]
# # Lecture 19: a recurrent network for genres
#
# Two LSTM layers and dense layers, on the MFCCs of segments.

# %%
from _data import SHORT, segments, split, standardised

import cantus

# %% [markdown]
# ## The network
#
# The first layer returns its output for every frame (`return_sequences`), the second one only its last
# output.

# %%
x, y, tracks, labels = segments()
is_train, is_test = split(tracks)
x = standardised(x, is_train)
layers = [
    {"type": "LSTM", "units": 64, "return_sequences": True},
    {"type": "LSTM", "units": 64},
    {"type": "Dense", "units": 64, "activation": "relu"},
    {"type": "Dropout", "rate": 0.3},
    {"type": "Dense", "units": len(labels), "activation": "softmax"},
]
network = cantus.nn.Network({"input_shape": list(x.shape[1:]), "layers": layers}, seed=0)
print(network.summary())

# %%
history = network.fit(
    x[is_train],
    y[is_train],
    epochs=1 if SHORT else 15,
    learning_rate=1e-3,
    validation_data=(x[is_test], y[is_test]),
)
figure = history.plot()

# %%
print(
    "accuracy on the segments of other tracks:",
    round(network.evaluate(x[is_test], y[is_test])["accuracy"], 3),
)
