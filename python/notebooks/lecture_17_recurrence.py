# %% [markdown]
# # Lecture 17: recurrent networks
#
# A recurrent layer reads a sequence step by step. Its state after a step depends on the values of that step
# and on the state before, so that the order of the steps matters:
#
# $$h_t = \tanh(x_t U + h_{t-1} W + b).$$

# %%
import matplotlib.pyplot as plt
import numpy as np

import cantus

# %% [markdown]
# ## The recurrence
#
# As a loop, and as a layer with the same weights. The layer returns the last state, or with
# `return_sequences` the states of all steps.


# %%
def recurrence(x, kernel, recurrent_kernel, bias):
    state, states = np.zeros(recurrent_kernel.shape[0]), []
    for values in x:
        state = np.tanh(values @ kernel + state @ recurrent_kernel + bias)
        states.append(state)
    return np.array(states)


rng = np.random.default_rng(0)
n_steps, n_inputs, n_units = 9, 3, 4
x = rng.standard_normal((n_steps, n_inputs))
weights = {
    "layers.0.kernel": rng.normal(0, 0.5, (n_inputs, n_units)),
    "layers.0.recurrent_kernel": rng.normal(0, 0.5, (n_units, n_units)),
    "layers.0.bias": rng.normal(0, 0.1, n_units),
}
states = recurrence(x, *weights.values())


def layer(n_steps, n_inputs, units, return_sequences):
    rnn = {"type": "SimpleRNN", "units": units, "return_sequences": return_sequences}
    return cantus.nn.Network({"input_shape": [n_steps, n_inputs], "layers": [rnn]})


for return_sequences in (True, False):
    network = layer(n_steps, n_inputs, n_units, return_sequences)
    network.weights = weights
    output = network.predict(x[None])
    print(f"return_sequences={return_sequences}: {x[None].shape} → {output.shape}")
    assert np.allclose(output[0], states if return_sequences else states[-1], atol=1e-5)

# %% [markdown]
# The number of weights does not depend on the number of steps: the same weights are used at every step.

# %%
print([layer(steps, 13, 64, False).count_params() for steps in (10, 130, 1000)])

# %% [markdown]
# ## Gradients that vanish
#
# How much does the state after $t$ steps change if the first input does? Each step multiplies the change by the
# recurrent weight and by the derivative of tanh, which is at most 1. With a weight below 1 the product shrinks
# exponentially, so that training finds no trace of early inputs.


# %%
def influence(weight, sequence, step=1e-6):
    def states(change):
        moved = sequence.copy()
        moved[0] += change
        return recurrence(moved[:, None], np.array([[0.8]]), np.array([[weight]]), np.zeros(1))[:, 0]

    return np.abs(states(step) - states(-step)) / (2 * step)


sequence = 0.1 * rng.standard_normal(30)
figure, axis = plt.subplots(figsize=(5.5, 2.8))
for weight in (0.5, 0.9, 1.1):
    values = influence(weight, sequence)
    axis.semilogy(values, label=f"weight {weight}")
    print(f"weight {weight}: {values[0]:.2f} after the first step, {values[-1]:.1e} after 30")
axis.set(xlabel="step", ylabel="influence of the first input")
legend = axis.legend()
