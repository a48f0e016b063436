"""The measured networks, as data in the format of an Architecture, from which each framework builds its own."""


def dense(units, activation="relu", **more):
    return {"type": "Dense", "units": units, "activation": activation, **more}


def conv(filters, kernel_size, strides=(1, 1)):
    return {"type": "Conv2D", "filters": filters, "kernel_size": list(kernel_size), "strides": list(strides), "activation": "relu"}


def pool(size):
    return {"type": "MaxPool2D", "pool_size": [size, size], "strides": [2, 2], "padding": "same"}


def recurrent(kind, units, return_sequences=False):
    return {"type": kind, "units": units, "return_sequences": return_sequences}


FLATTEN, NORM, DROPOUT = {"type": "Flatten"}, {"type": "BatchNormalization"}, {"type": "Dropout", "rate": 0.3}
L2 = {"kernel_regularizer": {"l2": 0.001}}
OUTPUT = dense(10, "softmax")


def network(input_shape, *layers):
    return {"input_shape": list(input_shape), "layers": list(layers)}


def of_two(kind, frames=130):
    """Two recurrent layers, as in lecture 19."""
    return network((frames, 13), recurrent(kind, 64, True), recurrent(kind, 64), dense(64), DROPOUT, OUTPUT)


# The course's models: lectures 13, 14, 16 and 19.
COURSE = {
    "MLP": network((130, 13), FLATTEN, dense(512), dense(256), dense(64), OUTPUT),
    "MLP+L2+dropout": network(
        (130, 13), FLATTEN, dense(512, **L2), DROPOUT, dense(256, **L2), DROPOUT, dense(64, **L2), DROPOUT, OUTPUT
    ),
    "CNN": network(
        (130, 13, 1),
        conv(32, (3, 3)), pool(3), NORM,
        conv(32, (3, 3)), pool(3), NORM,
        conv(32, (2, 2)), pool(2), NORM,
        FLATTEN, dense(64), DROPOUT, OUTPUT,
    ),
    "LSTM": of_two("LSTM"),
    "GRU": of_two("GRU"),
}

# Other shapes: odd widths, many and few channels, kernels from 1 × 1 to 7 × 7, small and large states.
SHAPES = {
    "dense 20-16-16": network((20,), dense(16), dense(16), OUTPUT),
    "dense 300-100-100": network((300,), dense(100), dense(100), OUTPUT),
    "dense 1000-1000-1000": network((1000,), dense(1000), dense(1000), OUTPUT),
    "dense 4000-50": network((4000,), dense(50), OUTPUT),
    "conv 1x1, 16-64": network((40, 20, 16), conv(64, (1, 1)), FLATTEN, OUTPUT),
    "conv 3x3, 3-7": network((40, 20, 3), conv(7, (3, 3)), FLATTEN, OUTPUT),
    "conv 5x5, 8-16, strides 2": network((40, 20, 8), conv(16, (5, 5), (2, 2)), FLATTEN, OUTPUT),
    "conv 7x7, 1-24": network((40, 20, 1), conv(24, (7, 7)), FLATTEN, OUTPUT),
    "LSTM 16": network((50, 13), recurrent("LSTM", 16), OUTPUT),
    "LSTM 200": network((50, 13), recurrent("LSTM", 200), OUTPUT),
    "GRU 100": network((50, 40), recurrent("GRU", 100), OUTPUT),
}

# Cost should grow as these do: the second of each pair has twice the examples or twice the frames of the first.
LINEAR = {
    "examples, MLP": [(COURSE["MLP"], 1), (COURSE["MLP"], 2)],
    "examples, LSTM": [(COURSE["LSTM"], 1), (COURSE["LSTM"], 2)],
    "frames, LSTM": [(of_two("LSTM", 130), 1), (of_two("LSTM", 260), 1)],
    "frames, GRU": [(of_two("GRU", 130), 1), (of_two("GRU", 260), 1)],
}
