# %% [markdown]
# # Lecture 13: a classifier of genres
#
# The data set is that of lecture 12: segments of three seconds, 13 MFCCs of each frame.

# %%
import os
import tempfile
from pathlib import Path

import cantus

SHORT = os.environ.get("CANTUS_NOTEBOOKS") == "short"
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
cantus.compose(folder / "music", n_tracks=4 if SHORT else 12, duration=9.0 if SHORT else 30.0, progress=False)
features = {"segments": {"duration_s": 3.0}}
store = cantus.extract(folder / "music", folder / "features", features=features, progress=False)
print(len(store), "segments of", len(store.tracks), "tracks;", store.shape, "frames and coefficients")
print(", ".join(store.labels))

# %% [markdown]
# ## The network
#
# The lecture's multilayer perceptron: hidden layers of 512, 256 and 64 neurons with ReLU, which does not
# saturate as the sigmoid does, and a softmax output with a probability for each genre. Adam, batches of 32
# segments. The recipe `mlp-normalised` standardises the features and stops when the validation loss no longer
# decreases.

# %%
run = cantus.train(store, "mlp-normalised", epochs=3 if SHORT else None, progress=False)
print(run.model.summary())

# %%
figure = run.plot_history()

# %% [markdown]
# ## Scores on tracks of the test part
#
# All segments of a track are in one part. If segments are divided at random instead, segments of one track
# are in both parts, and the score says how well tracks are recognised that the network was trained on.

# %%
print(str(run.report).split("\n\n")[0])

# %% [markdown]
# The same, divided by segment: the report names the leak and shows the score without it.

# %%
leaky = cantus.train(store, "mlp-normalised", split="segment", epochs=2 if SHORT else None, progress=False)
by_segment, by_track = leaky.report["accuracy"], run.report["accuracy"]
print(f"segment accuracy, divided by segment: {by_segment:.3f}, by track: {by_track:.3f}")

# %% [markdown]
# ## Prediction

# %%
song = folder / "music" / "jazz" / "jazz.00000.wav"
prediction = run.model.predict(song)
print(prediction)
for label, probability in sorted(prediction.probabilities.items(), key=lambda item: -item[1])[:3]:
    print(f"{label:>10} {probability:.2f}")
