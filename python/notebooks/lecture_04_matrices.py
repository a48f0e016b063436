# %% [markdown]
# # Lecture 4: vectors and matrices
#
# Signals are vectors and spectrograms are matrices, so the operations of linear algebra have a meaning for
# sound.

# %%
import matplotlib.pyplot as plt
import numpy as np

import cantus

sr = 8000
time = np.arange(sr // 4) / sr
low, high = np.sin(2 * np.pi * 220 * time), np.sin(2 * np.pi * 330 * time)

# %% [markdown]
# ## Vectors
#
# Multiplication by a number changes the level; addition mixes two signals of the same length.

# %%
mixture = 0.6 * low + 0.3 * high
print(f"{mixture.shape[0]} samples, largest {np.abs(mixture).max():.2f}")
figure, axes = plt.subplots(1, 3, figsize=(9, 1.8), sharey=True)
for axis, (name, signal) in zip(
    axes, [("0.6 · low", 0.6 * low), ("0.3 · high", 0.3 * high), ("sum", mixture)], strict=True
):
    axis.plot(1000 * time[:160], signal[:160])
    axis.set(title=name, xlabel="time in ms")

# %% [markdown]
# ## The dot product
#
# It is large where two vectors are similar, and 0 where they are perpendicular. Sines of different whole
# numbers of periods are perpendicular; divided by the squared length, the dot product is the amplitude of a
# sine in the mixture. The Fourier transform consists of such dot products.

# %%
for name, sine in [("220 Hz", low), ("330 Hz", high), ("440 Hz", np.sin(2 * np.pi * 440 * time))]:
    print(f"{name}: amplitude {mixture @ sine / (sine @ sine):.3f}")

# %% [markdown]
# ## Matrices
#
# A spectrogram has a row for each frequency and a column for each frame. Its transpose has a row for each
# frame, as networks read it; NumPy transposes without copying.

# %%
power = np.abs(cantus.stft(mixture, n_fft=512, hop_length=128)) ** 2
print("bins, frames:", power.shape, " transposed:", power.T.shape)
assert np.shares_memory(power, power.T)

# %% [markdown]
# A product of matrices, $(m, n) \times (n, k) = (m, k)$, contains the dot products of the rows of the first
# with the columns of the second. The mel spectrogram is one: each of its bands is a weighted sum of the bins.

# %%
filters = cantus.filters.mel(sr=sr, n_fft=512, n_mels=20)
mel = filters @ power
print(filters.shape, "×", power.shape, "=", mel.shape)
same = cantus.feature.melspectrogram(y=mixture, sr=sr, n_fft=512, hop_length=128, n_mels=20)
assert np.allclose(mel, same, rtol=1e-4, atol=1e-6)

figure, axes = plt.subplots(1, 3, figsize=(9, 2.4))
axes[0].imshow(filters, aspect="auto", origin="lower")
axes[0].set(title="filters", xlabel="bin", ylabel="band")
cantus.display.specshow(cantus.power_to_db(power, ref=np.max), ax=axes[1])
axes[1].set(title="power", xlabel="frame", ylabel="bin")
cantus.display.specshow(cantus.power_to_db(mel, ref=np.max), ax=axes[2])
axes[2].set(title="mel spectrogram", xlabel="frame", ylabel="band")
figure.tight_layout()
