# %% [markdown]
# # Lecture 18: long short-term memory
#
# An LSTM has a second state, the *cell*. Three gates with values between 0 and 1 decide what of the cell is
# kept, what is added to it and what is put out:
#
# $$f, i, o = \sigma(x_t U_{f,i,o} + h_{t-1} W_{f,i,o} + b_{f,i,o}), \qquad
# \tilde{c} = \tanh(x_t U_c + h_{t-1} W_c + b_c),$$
# $$c_t = f \cdot c_{t-1} + i \cdot \tilde{c}, \qquad h_t = o \cdot \tanh(c_t).$$

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

import cantus

SHORT = os.environ.get("CANTUS_NOTEBOOKS") == "short"
rng = np.random.default_rng(0)

# %% [markdown]
# ## The gates
#
# As a loop, and as a layer with the same weights, which are those of the input, forget, cell and output gate
# side by side.


# %%
def sigmoid(h):
    return 1 / (1 + np.exp(-h))


def lstm(x, kernel, recurrent_kernel, bias):
    n_units = recurrent_kernel.shape[0]
    state, cell, states, cells = np.zeros(n_units), np.zeros(n_units), [], []
    for values in x:
        net = values @ kernel + state @ recurrent_kernel + bias
        i, f, candidate, o = np.split(net, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(candidate)
        state = sigmoid(o) * np.tanh(cell)
        states.append(state)
        cells.append(cell)
    return np.array(states), np.array(cells)


n_steps, n_inputs, n_units = 12, 3, 4
x = rng.standard_normal((n_steps, n_inputs))
weights = {
    "layers.0.kernel": rng.normal(0, 0.5, (n_inputs, 4 * n_units)),
    "layers.0.recurrent_kernel": rng.normal(0, 0.5, (n_units, 4 * n_units)),
    "layers.0.bias": rng.normal(0, 0.1, 4 * n_units),
}
layer = {"type": "LSTM", "units": n_units, "return_sequences": True}
network = cantus.nn.Network({"input_shape": [n_steps, n_inputs], "layers": [layer]})
network.weights = weights
states, cells = lstm(x, *weights.values())
assert np.allclose(network.predict(x[None])[0], states, atol=1e-5)
print("states:", states.shape, " parameters:", network.count_params(), "= 4 · (3 + 4 + 1) · 4")

# %% [markdown]
# ## A cell that keeps a value
#
# With the forget gate open (near 1) and the input gate closed (near 0) after the first step, the cell hardly
# changes: a value is kept for any number of steps. One unit; the second input opens the input gate.

# %%
pulse = np.zeros((30, 2))
pulse[:, 0] = rng.standard_normal(30)
pulse[0] = [0.7, 1]
kernel = np.array([[0.0, 0, 1, 0], [12.0, 0, 0, 0]])
bias = np.array([-6.0, 6, 0, 4])
kept = lstm(pulse, kernel, np.zeros((1, 4)), bias)[1][:, 0]
figure, axis = plt.subplots(figsize=(5.5, 2.5))
axis.plot(pulse[:, 0], color="lightgrey", label="input")
axis.plot(kept, label="cell")
axis.set(xlabel="step")
legend = axis.legend()
print(f"cell after the first step {kept[0]:.2f}, after 30 steps {kept[-1]:.2f}")

# %% [markdown]
# ## Memory over many steps
#
# The class of a sequence is the sign of its *first* value; the rest is noise. The accuracy of the simple layer
# rises sooner, but it does not stay; that of the LSTM stays near 1 once its gates keep the value.

# %%
n_steps = 10 if SHORT else 30
sequences = rng.standard_normal((2000, n_steps, 1)).astype(np.float32)
classes = (sequences[:, 0, 0] > 0).astype(int)
figure, axis = plt.subplots(figsize=(5.5, 2.8))
for kind in ["SimpleRNN", "LSTM"]:
    layers = [{"type": kind, "units": 16}, {"type": "Dense", "units": 2, "activation": "softmax"}]
    network = cantus.nn.Network({"input_shape": [n_steps, 1], "layers": layers}, seed=1)
    history = network.fit(
        sequences[:1500],
        classes[:1500],
        epochs=2 if SHORT else 60,
        learning_rate=0.01,
        validation_data=(sequences[1500:], classes[1500:]),
        seed=1,
    )
    axis.plot(history.history["val_accuracy"], label=kind)
    accuracy = network.evaluate(sequences[1500:], classes[1500:])["accuracy"]
    print(f"{kind:>10}: accuracy {accuracy:.3f} after {n_steps} steps")
axis.set(xlabel="epoch", ylabel="validation accuracy")
legend = axis.legend()
