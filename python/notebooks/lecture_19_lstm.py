# %% [markdown]
# # Lectures 17 to 19: recurrent networks and LSTM
#
# A recurrent layer reads a sequence frame by frame; its state after a frame depends on the frame and on the
# state before. In a simple recurrent layer the gradient shrinks with every step back in time, so that early
# frames have little effect. An LSTM has a second state, the cell, that its gates keep, forget or change.

# %%
import numpy as np
from _data import SHORT, segments, split, standardised

import cantus

# %% [markdown]
# ## Memory over many steps
#
# The class of a sequence is the sign of its *first* value; the rest is noise. Both layers can learn it; the
# LSTM, whose cell keeps the value, is more accurate after the same training.

# %%
rng = np.random.default_rng(0)
n_steps = 10 if SHORT else 30
sequences = rng.standard_normal((2000, n_steps, 1)).astype(np.float32)
classes = (sequences[:, 0, 0] > 0).astype(int)
for kind in ["SimpleRNN", "LSTM"]:
    layers = [{"type": kind, "units": 16}, {"type": "Dense", "units": 2, "activation": "softmax"}]
    network = cantus.nn.Network({"input_shape": [n_steps, 1], "layers": layers}, seed=1)
    network.fit(sequences[:1500], classes[:1500], epochs=2 if SHORT else 60, learning_rate=0.01, seed=1)
    accuracy = network.evaluate(sequences[1500:], classes[1500:])["accuracy"]
    print(f"{kind:>10}: accuracy {accuracy:.3f} after {n_steps} steps")

# %% [markdown]
# ## Genres with two LSTM layers
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
