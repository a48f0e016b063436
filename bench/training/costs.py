"""Operations and memory traffic of a network, from its architecture: what a training step and an inference need at least."""

import dataclasses

FLOAT = 4
# Gates of a recurrent layer, and numbers of each unit and frame that its backward pass reads: gates and states.
GATES = {"LSTM": 4, "GRU": 3}
STORED = {"LSTM": 6, "GRU": 5}


@dataclasses.dataclass
class LayerCost:
    """One layer, for one example."""

    n_weights: int
    # Operations of the products of the forward pass, and of those for the gradients of the input and of a recurrent state.
    forward: int
    of_input: int
    of_state: int
    # Numbers that the backward pass reads: outputs, and what a recurrent layer stores. Not counted are those that follow from
    # others: of a convolution before a max pooling, of batch normalization and of dropout.
    stored: int
    # The values of its input are those of the whole batch, by batch normalization.
    reduces_batch: bool
    # Whether an earlier layer has weights.
    propagates: bool


def layer_costs(architecture):
    """The cost of each layer; two operations for each multiplication of a matrix product, none for anything else."""
    shape, costs = list(architecture["input_shape"]), []
    layers = architecture["layers"]
    for layer, after in zip(layers, [*layers[1:], {"type": None}]):
        kind, n_weights, forward, of_state, stored = layer["type"], 0, 0, 0, 0
        if kind == "Flatten":
            shape = [product(shape)]
        elif kind == "Dense":
            n_weights, forward = (shape[-1] + 1) * layer["units"], 2 * product(shape) * layer["units"]
            shape = shape[:-1] + [layer["units"]]
            stored = product(shape)
        elif kind == "Conv2D":
            height, width, channels = shape
            (down, right), (s, t) = layer["kernel_size"], layer["strides"]
            n_weights = (down * right * channels + 1) * layer["filters"]
            shape = [(height - down) // s + 1, (width - right) // t + 1, layer["filters"]]
            forward = 2 * down * right * channels * product(shape)
            stored = 0 if after["type"] == "MaxPool2D" else product(shape)
        elif kind == "MaxPool2D":
            shape = [-(-shape[0] // layer["strides"][0]), -(-shape[1] // layer["strides"][1]), shape[2]]
            stored = product(shape)
        elif kind == "BatchNormalization":
            n_weights = 2 * shape[-1]
        elif kind in GATES:
            units, gates = layer["units"], GATES[kind]
            n_weights = gates * units * (shape[1] + units + (2 if kind == "GRU" else 1))
            of_input, of_state = (2 * shape[0] * n * gates * units for n in (shape[1], units))
            forward = of_input + of_state
            stored = STORED[kind] * shape[0] * units
            shape = [shape[0], units] if layer["return_sequences"] else [units]
        propagates = any(cost.n_weights for cost in costs)
        of_input = forward - of_state if propagates else 0
        costs.append(LayerCost(n_weights, forward, of_input, of_state, stored, kind == "BatchNormalization", propagates))
    return costs


def product(shape):
    n = 1
    for size in shape:
        n *= size
    return n


def flops_per_example(architecture):
    """Floating-point operations of a training step: forward pass, gradients of weights, gradients of inputs.

    The gradient of the network's input is not computed, so the first layer has none; the gradient of a recurrent layer's state is
    counted.
    """
    return sum(2 * cost.forward + cost.of_input + cost.of_state for cost in layer_costs(architecture))


def forward_flops_per_example(architecture):
    """Floating-point operations of inference."""
    return sum(cost.forward for cost in layer_costs(architecture))


@dataclasses.dataclass
class Traffic:
    """Bytes that have to be moved, by kind of access: those of the state and activations, and those of the examples."""

    # Numbers that are read again by the next step or call: the smallest cache that holds them is where they are.
    working_set: int
    read: int
    written: int
    # Read and written in place; both directions count.
    updated: int
    # The data set from which the examples come, and those of one step or call.
    data_set: int
    examples: int


def training_traffic(architecture, batch, n_examples, threads):
    """Of one step with Adam.

    Weights are read in the forward pass, and in the backward pass by layers that have a layer with weights before them; they and both
    moments are read and written in the update. Gradients of weights are not counted: a tile of them can be summed over the batch and used
    while it is in registers. What the backward pass reads is written and read once; it takes the whole batch up to the last batch
    normalization, and elsewhere can be that of one example for each thread at a time.
    """
    costs = layer_costs(architecture)
    n_weights = sum(cost.n_weights for cost in costs)
    read = FLOAT * (n_weights + sum(cost.n_weights for cost in costs if cost.propagates))
    stored = FLOAT * sum(cost.stored for cost in costs)
    at_once = batch if any(cost.reduces_batch for cost in costs) else min(batch, threads)
    example = FLOAT * product(architecture["input_shape"])
    return Traffic(
        working_set=3 * FLOAT * n_weights + at_once * stored,
        read=read + batch * stored,
        written=batch * stored,
        updated=2 * 3 * FLOAT * n_weights,
        data_set=n_examples * example,
        examples=batch * example,
    )


def inference_traffic(architecture, n_examples):
    """Of one call: every weight is read once."""
    n_weights = sum(cost.n_weights for cost in layer_costs(architecture))
    example = FLOAT * product(architecture["input_shape"])
    return Traffic(
        working_set=FLOAT * n_weights,
        read=FLOAT * n_weights,
        written=0,
        updated=0,
        data_set=n_examples * example,
        examples=n_examples * example,
    )
