# %% [markdown]
# # Lecture 12: preparing a data set
#
# A classifier is trained on labelled examples: a folder for each genre, with recordings in it. The music here is
# synthesised, so that nothing is downloaded.

# %%
import os
import tempfile
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import cantus

SHORT = os.environ.get("CANTUS_NOTEBOOKS") == "short"
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
music = folder / "music"
cantus.compose(music, n_tracks=2 if SHORT else 6, duration=9.0 if SHORT else 30.0, progress=False)
files = sorted(music.glob("*/*.wav"))
print(len(files), "files, such as", files[0].relative_to(music))
print(Counter(file.parent.name for file in files))

# %% [markdown]
# ## Audit
#
# Before training: files that are damaged or silent, and copies of one recording, which must not be in the
# training and the test part at once.

# %%
report = cantus.audit(music)
print(len(report["tracks"]), "recordings, of which", len(report["failed"]), "cannot be read")

# %% [markdown]
# ## Segments and MFCCs
#
# A track of 30 seconds is cut into ten segments of three seconds: ten times as many examples. At 22,050 Hz a
# segment has 66,150 samples; with a frame every 512 samples these are 130 frames, of 13 MFCCs each.

# %%
sr, hop_length, duration = 22050, 512, 3.0
n_samples = int(sr * duration)
print(n_samples, "samples,", -(-n_samples // hop_length), "frames")

# %%
features = {"segments": {"duration_s": duration}, "n_mfcc": 13}
store = cantus.extract(music, folder / "features", features=features, progress=False)
X, y = store.to_numpy()
print("segments, frames, coefficients:", X.shape)
print("class of the first segment:", y[0], " track:", store.tracks[store.track_of_segments[0]].path)

# %% [markdown]
# One segment of each of four genres. Coefficient 0 is the level and much larger than the others; it is left out
# of the pictures.

# %%
figure, axes = plt.subplots(1, 4, figsize=(10, 2.4), sharey=True)
for axis, genre in zip(axes, store.labels[:4], strict=True):
    segment = X[np.flatnonzero(y == genre)[0]]
    axis.imshow(segment[:, 1:].T, aspect="auto", origin="lower", extent=(0, duration, 0.5, 12.5))
    axis.set(title=genre, xlabel="time in s")
label = axes[0].set_ylabel("MFCC")

# %% [markdown]
# ## Scales
#
# The coefficients have very different ranges. Networks train better on features with mean 0 and deviation 1;
# both are estimated on the training part only.

# %%
frames = X.reshape(-1, X.shape[-1])
print("mean     ", frames.mean(axis=0)[:5].round(1))
print("deviation", frames.std(axis=0)[:5].round(1))
figure, axis = plt.subplots(figsize=(6, 2.5))
boxes = axis.boxplot(frames[::50], showfliers=False)
axis.set(xlabel="MFCC, from the first", ylabel="value")
