# %% [markdown]
# # Lecture 11: features of audio
#
# waveform → spectrum → spectrogram → MFCCs, for a track of synthesised music.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import cantus

temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
cantus.compose(folder, n_tracks=1, duration=5.0, progress=False)
y, sr = cantus.load(folder / "blues" / "blues.00000.wav", sr=22050)
print(f"{len(y)} samples, {len(y) / sr:.1f} s")
figure, axis = plt.subplots(figsize=(7, 2))
cantus.display.waveshow(y, sr=sr, ax=axis)
# %% [markdown]
# ## Spectrum
#
# The magnitude of the Fourier transform of the whole signal; the second half mirrors the first, and is left
# out.

# %%
magnitude = np.abs(np.fft.rfft(y))
frequency = np.fft.rfftfreq(len(y), 1 / sr)
figure, axis = plt.subplots(figsize=(7, 2))
axis.plot(frequency, magnitude, linewidth=0.3)
axis.set_xlabel("frequency in Hz")
# %% [markdown]
# ## Spectrogram
#
# Frames of 2048 samples (93 ms), one every 512 samples (23 ms). Loudness is perceived on a logarithmic scale,
# so magnitudes are converted to decibels.

# %%
stft = cantus.stft(y, n_fft=2048, hop_length=512)
decibels = cantus.amplitude_to_db(np.abs(stft), ref=np.max)
print("bins, frames:", decibels.shape)
figure, axis = plt.subplots(figsize=(7, 3))
cantus.display.specshow(decibels, sr=sr, hop_length=512, x_axis="time", y_axis="log", ax=axis)
# %% [markdown]
# ## Mel spectrogram and MFCCs
#
# Mel bands are spaced as pitch is perceived: nearly linear below 1000 Hz, logarithmic above. The cosine
# transform of the logarithmic mel spectrum separates its envelope, which describes timbre, from its fine
# structure; the first 13 coefficients are the MFCCs.

# %%
mel = cantus.feature.melspectrogram(y=y, sr=sr)
mfcc = cantus.feature.mfcc(y=y, sr=sr, n_mfcc=13)
print("mel bands, frames:", mel.shape, " coefficients, frames:", mfcc.shape)
figure, axis = plt.subplots(figsize=(7, 2.5))
cantus.display.specshow(mfcc, sr=sr, hop_length=512, x_axis="time", ax=axis)
# %% [markdown]
# The mean MFCCs of two genres differ: this is what a classifier uses.

# %%
for genre in ["blues", "metal"]:
    samples, _ = cantus.load(folder / genre / f"{genre}.00000.wav", sr=22050)
    means = cantus.feature.mfcc(y=samples, sr=sr, n_mfcc=13).mean(axis=1)
    print(f"{genre:>6}", means[:5].round(1))
