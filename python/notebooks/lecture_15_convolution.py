# %% [markdown]
# # Lecture 15: convolution and pooling
#
# A convolution slides a small grid of weights, the *kernel*, over its input. At each position it computes the
# dot product of the kernel with the values below it: the output is large where the input resembles the kernel.
# The same weights are used at all positions, so that there are few of them.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import cantus

# %% [markdown]
# ## One convolution
#
# A kernel that responds to vertical edges, on an image with one edge: as loops, and as a layer that is given
# this kernel as its weights.


# %%
def convolve(image, kernel):
    height, width = kernel.shape
    n_rows, n_columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    output = np.zeros((n_rows, n_columns))
    for row in range(n_rows):
        for column in range(n_columns):
            output[row, column] = np.sum(image[row : row + height, column : column + width] * kernel)
    return output


def layer_of(shape, kernel, **settings):
    layer = {"type": "Conv2D", "filters": 1, "kernel_size": list(kernel.shape), **settings}
    network = cantus.nn.Network({"input_shape": [*shape, 1], "layers": [layer]})
    network.weights = {"layers.0.kernel": kernel[:, :, None, None], "layers.0.bias": [0.0]}
    return network


image = np.zeros((5, 6))
image[:, 3:] = 1
vertical = np.array([[-1.0, 0, 1]] * 3)
print(convolve(image, vertical))
network = layer_of(image.shape, vertical)
assert np.allclose(network.predict(image[None])[0, :, :, 0], convolve(image, vertical))

# %% [markdown]
# ## Shapes
#
# Without padding, an output has fewer rows and columns than its input; with `same` padding, zeros are added
# around it. A stride of 2 leaves out every other position. Max pooling keeps the maximum of each block.

# %%
for settings in [{}, {"padding": "same"}, {"padding": "same", "strides": [2, 2]}]:
    print(settings, "→", layer_of((130, 13), vertical, **settings).output_shape)
pool = {"type": "MaxPool2D", "pool_size": [2, 2]}
print("max pooling", "→", cantus.nn.Network({"input_shape": [130, 13, 1], "layers": [pool]}).output_shape)

# %% [markdown]
# ## Kernels on a spectrogram
#
# In a mel spectrogram a tone is a horizontal line and a percussive sound a vertical one. A kernel of each
# direction separates them. The first axis of the image is time, as in all features of a network.

# %%
temporary = tempfile.TemporaryDirectory()
cantus.compose(temporary.name, n_tracks=1, duration=6.0, progress=False)
y, sr = cantus.load(Path(temporary.name) / "disco" / "disco.00000.wav", duration=4.0)
mel = cantus.power_to_db(cantus.feature.melspectrogram(y=y, sr=sr, n_mels=64), ref=np.max)
onsets = np.array([[-1.0] * 5, [0.0] * 5, [1.0] * 5])
tones = np.array([[-1.0, 2.0, -1.0]] * 5)
panels = [("mel spectrogram in dB", mel)]
for name, kernel in [("onsets", onsets), ("tones", tones)]:
    network = layer_of(mel.T.shape, kernel, activation="relu", padding="same")
    panels.append((name, network.predict(mel.T[None])[0, :, :, 0].T))
figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), sharey=True)
for axis, (name, values) in zip(axes, panels, strict=True):
    axis.imshow(values, aspect="auto", origin="lower", vmax=np.percentile(values, 99.5))
    axis.set(title=name, xlabel="frame")
label = axes[0].set_ylabel("mel band")

# %% [markdown]
# Training finds kernels by itself. A layer of 32 kernels of 3 by 3 values on one channel has 32 · (9 + 1)
# parameters, whatever the size of its input; a dense layer has one for each pair of an input and a neuron.

# %%
for layers in [
    [{"type": "Conv2D", "filters": 32, "kernel_size": [3, 3]}],
    [{"type": "Flatten"}, {"type": "Dense", "units": 32}],
]:
    network = cantus.nn.Network({"input_shape": [130, 13, 1], "layers": layers})
    print(layers[-1]["type"], network.count_params(), "parameters")
