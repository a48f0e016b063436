# %% [markdown]
# # Lecture 10: sound
#
# Sound is a variation of air pressure. A waveform shows the pressure over time; sampling and quantisation
# make numbers of it. The Fourier transform writes it as a sum of sine waves.

# %%
import matplotlib.pyplot as plt
import numpy as np

import cantus

sr = 22050
time = np.arange(sr) / sr

# %% [markdown]
# ## A sine wave
#
# $y(t) = A \sin(2 \pi f t + \varphi)$: the frequency $f$ determines the pitch, the amplitude $A$ the
# loudness. The note A4 has 440 Hz; an octave doubles the frequency.

# %%
a4 = 0.5 * np.sin(2 * np.pi * 440 * time)
a5 = 0.25 * np.sin(2 * np.pi * 880 * time)
figure, axis = plt.subplots(figsize=(7, 2.5))
axis.plot(time[:200] * 1000, a4[:200], label="440 Hz")
axis.plot(time[:200] * 1000, a5[:200], label="880 Hz")
axis.set_xlabel("time in ms")
axis.legend()
# %% [markdown]
# ## Sampling and quantisation
#
# At a sampling rate of 22050 Hz, frequencies up to half of it, 11025 Hz, can be represented. A bit depth of
# 16 bits has 65536 amplitudes. Three minutes of mono at 44100 Hz and 16 bits take 15.9 MB.

# %%
megabytes = 44100 * 16 / 8 * 180 / 1e6
print(f"{megabytes:.1f} MB")
four_bits = np.round(a4 * 8) / 8
print(f"largest error of 4 bits: {np.abs(four_bits - a4).max():.3f}, half a step of 1/8")

# %% [markdown]
# A frequency above half the sampling rate has the same samples as a lower one (aliasing):

# %%
high = np.sin(2 * np.pi * (sr - 440) * time)
assert np.allclose(high, -np.sin(2 * np.pi * 440 * time), atol=1e-6)

# %% [markdown]
# ## The Fourier transform
#
# A complex tone is a sum of sine waves. Its spectrum has a peak at the frequency of each.

# %%
tone = a4 + a5 + 0.1 * np.sin(2 * np.pi * 1320 * time)
magnitude = np.abs(np.fft.rfft(tone)) * 2 / len(tone)
frequency = np.fft.rfftfreq(len(tone), 1 / sr)
peaks = sorted(frequency[np.argsort(magnitude)[-3:]])
print("peaks at", [f"{peak:.0f} Hz" for peak in peaks])
figure, axis = plt.subplots(figsize=(7, 2.5))
axis.plot(frequency[:2000], magnitude[:2000])
axis.set_xlabel("frequency in Hz")
# %% [markdown]
# ## The short-time Fourier transform
#
# The spectrum of the whole signal does not say when a frequency sounds. The short-time Fourier transform
# computes a spectrum for each of many short frames. Here the pitch rises after half a second:

# %%
melody = np.concatenate([a4[: sr // 2], a5[: sr // 2]]).astype(np.float32)
spectrogram = np.abs(cantus.stft(melody, n_fft=2048, hop_length=512))
print("bins, frames:", spectrogram.shape)
loudest = cantus.fft_frequencies(sr=sr, n_fft=2048)[spectrogram.argmax(axis=0)]
print("loudest frequency of the first and of the last frames:", loudest[5].round(), loudest[-5].round())
figure, axis = plt.subplots(figsize=(7, 3))
cantus.display.specshow(
    cantus.amplitude_to_db(spectrogram, ref=np.max), sr=sr, x_axis="time", y_axis="hz", ax=axis
)
axis.set_ylim(0, 2000)
