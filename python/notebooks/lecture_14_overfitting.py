# %% [markdown]
# # Lecture 14: overfitting
#
# A network overfits when its training accuracy keeps rising and its accuracy on other tracks does not.
# Remedies: a simpler network, more data, augmentation, early stopping, dropout and regularisation of the
# weights.

# %%
from _data import SHORT, segments, split, standardised

import cantus

x, y, tracks, labels = segments()
is_train, is_test = split(tracks)
x = standardised(x, is_train)
train, test = (x[is_train], y[is_train]), (x[is_test], y[is_test])
print(is_train.sum(), "segments to train on,", is_test.sum(), "to test")


def dense(units, activation="relu", **settings):
    return {"type": "Dense", "units": units, "activation": activation, **settings}


def fit(layers):
    network = cantus.nn.Network({"input_shape": list(x.shape[1:]), "layers": layers}, seed=0)
    epochs = 3 if SHORT else 40
    return network.fit(*train, epochs=epochs, learning_rate=1e-4, validation_data=test, seed=0)


# %% [markdown]
# ## Without regularisation
#
# Three hidden layers: the training accuracy approaches 1, and the validation loss rises after its minimum.

# %%
plain = fit([{"type": "Flatten"}, dense(512), dense(256), dense(64), dense(10, "softmax")])
figure = plain.plot()

# %% [markdown]
# ## With dropout and L2 regularisation
#
# Dropout sets a random share of the activations to zero in each step, so that no neuron relies on few others.
# L2 regularisation adds the squares of the weights to the loss.

# %%
l2 = {"kernel_regularizer": {"l2": 0.001}}
dropout = {"type": "Dropout", "rate": 0.3}
regularised = fit(
    [
        {"type": "Flatten"},
        dense(512, **l2),
        dropout,
        dense(256, **l2),
        dropout,
        dense(64, **l2),
        dropout,
        dense(10, "softmax"),
    ]
)
figure = regularised.plot()

# %%
for name, history in [("plain", plain.history), ("regularised", regularised.history)]:
    gap = history["accuracy"][-1] - history["val_accuracy"][-1]
    print(f"{name:>12}: validation accuracy {history['val_accuracy'][-1]:.3f}, gap to training {gap:.3f}")

# %% [markdown]
# ## Early stopping
#
# `patience` ends the training when the validation loss has not decreased for that many epochs, and restores
# the weights of the best one. The part that decides must not be the one that is reported: `cantus.train` has
# a validation part for it.

# %%
network = cantus.nn.Network(
    {"input_shape": list(x.shape[1:]), "layers": [{"type": "Flatten"}, dense(64), dense(10, "softmax")]}
)
history = network.fit(
    *train, epochs=5 if SHORT else 200, learning_rate=1e-3, validation_data=test, patience=5
)
print(len(history.epoch), "epochs")
