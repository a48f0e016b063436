//! Layers that go through time step by step, `[time, numbers]`.

use cantus_nn::LayerSpec;

use super::function::Function;
use super::layers::{Forward, Signal};
use super::number::Number;
use super::tape::Node;

/// The state of a recurrent layer between two steps.
struct Step {
    /// The state of the step before, none at first.
    state: Option<Node>,
    /// The cell state of an LSTM, `None` at first.
    cell_state: Option<Node>,
}

/// The weights of a recurrent layer.
struct Cell {
    kernel: Node,
    recurrent: Node,
    bias: Node,
    n_inputs: usize,
    units: usize,
}

impl<T: Number> Forward<'_, T> {
    /// A recurrent layer forward in time and another one backward, their outputs concatenated.
    pub fn bidirectional(&mut self, spec: &LayerSpec, path: &str, x: &Signal) -> Signal {
        let forward = self.recurrent(spec, &format!("{path}.forward"), x, false);
        let backward = self.recurrent(spec, &format!("{path}.backward"), x, true);
        let (units, n) = (forward.width(), forward.rows * forward.len());
        let both = self.tape.concat(&[forward.node, backward.node]);
        let node = self.tape.gather(both, 2 * n, 0.0, |i| {
            let (position, direction, unit) = (i / (2 * units), i / units % 2, i % units);
            direction * n + position * units + unit
        });
        let mut shape = forward.shape.clone();
        *shape.last_mut().unwrap() = 2 * units;
        Signal::new(node, x.rows, &shape)
    }

    /// An LSTM, GRU or SimpleRNN, from the first step to the last or `backwards`.
    pub fn recurrent(&mut self, spec: &LayerSpec, path: &str, x: &Signal, backwards: bool) -> Signal {
        let (units, all_states) = match spec {
            LayerSpec::Gru(layer) => (layer.units, layer.return_sequences),
            LayerSpec::Lstm(layer) => (layer.units, layer.return_sequences),
            LayerSpec::MultiTimescaleLstm(layer) => {
                (layer.units * layer.time_scales.len(), layer.return_sequences)
            }
            LayerSpec::SimpleRnn(layer) => (layer.units, layer.return_sequences),
            other => panic!("{} is not recurrent", other.kind()),
        };
        let [n_steps, n_inputs] = x.shape[..] else { panic!("no sequence: {:?}", x.shape) };
        let [kernel, recurrent, bias] =
            ["kernel", "recurrent_kernel", "bias"].map(|name| self.weight(path, name));
        let cell = Cell { kernel, recurrent, bias, n_inputs, units };
        let mut step = Step { state: None, cell_state: None };
        let mut states = vec![0; n_steps];
        for t in 0..n_steps {
            let position = if backwards { n_steps - 1 - t } else { t };
            let inputs = self.tape.gather(x.node, x.rows * n_inputs, 0.0, |i| {
                (i / n_inputs * n_steps + position) * n_inputs + i % n_inputs
            });
            step = match spec {
                LayerSpec::Gru(_) => self.gru_step(&cell, inputs, &step),
                LayerSpec::SimpleRnn(_) => self.simple_step(&cell, inputs, &step),
                _ => self.lstm_step(&cell, inputs, &step),
            };
            states[position] = step.state.unwrap();
        }
        if !all_states {
            return Signal::new(step.state.unwrap(), x.rows, &[units]);
        }
        // From [time, examples, units] to [examples, time, units].
        let (all, rows) = (self.tape.concat(&states), x.rows);
        let node = self.tape.gather(all, rows * n_steps * units, 0.0, |i| {
            let (row, t, unit) = (i / units / n_steps, i / units % n_steps, i % units);
            (t * rows + row) * units + unit
        });
        Signal::new(node, rows, &[n_steps, units])
    }

    /// Column block `gate` of `n_gates`, `[examples, units]`.
    fn gate(&mut self, all: Node, gate: usize, n_gates: usize, units: usize) -> Node {
        let n = self.tape.value(all).len() / n_gates;
        self.tape.gather(all, n, 0.0, |i| (i / units * n_gates + gate) * units + i % units)
    }

    /// x W + b + h R, of all gates.
    fn net_inputs(&mut self, cell: &Cell, inputs: Node, step: &Step, n_gates: usize) -> Node {
        let width = n_gates * cell.units;
        let product = self.tape.product(inputs, cell.kernel, cell.n_inputs, width);
        let sum = self.tape.add_row(product, cell.bias);
        match step.state {
            None => sum,
            Some(h) => {
                let recurrent = self.tape.product(h, cell.recurrent, cell.units, width);
                self.tape.add(sum, recurrent)
            }
        }
    }

    /// h' = tanh(x W + h R + b)
    fn simple_step(&mut self, cell: &Cell, inputs: Node, step: &Step) -> Step {
        let net = self.net_inputs(cell, inputs, step, 1);
        Step { state: Some(self.tape.map(net, Function::Tanh)), cell_state: None }
    }

    /// c' = f c + i g, h' = o tanh(c'), with gates in the order i, f, g, o.
    fn lstm_step(&mut self, cell: &Cell, inputs: Node, step: &Step) -> Step {
        let net = self.net_inputs(cell, inputs, step, 4);
        let [i, f, g, o] = [0, 1, 2, 3].map(|gate| {
            let net = self.gate(net, gate, 4, cell.units);
            self.tape.map(net, if gate == 2 { Function::Tanh } else { Function::Sigmoid })
        });
        let new = self.tape.multiply(i, g);
        let cell_state = match step.cell_state {
            None => new,
            Some(cell_state) => {
                let kept = self.tape.multiply(f, cell_state);
                self.tape.add(kept, new)
            }
        };
        let shown = self.tape.map(cell_state, Function::Tanh);
        Step { state: Some(self.tape.multiply(o, shown)), cell_state: Some(cell_state) }
    }

    /// h' = z h + (1 - z) tanh(a_g + r s), with gates in the order z, r, g and a bias of the input and one of the state.
    fn gru_step(&mut self, cell: &Cell, inputs: Node, step: &Step) -> Step {
        let (units, width) = (cell.units, 3 * cell.units);
        let [of_input, of_state] =
            [0, width].map(|start| self.tape.gather(cell.bias, width, 0.0, |i| start + i));
        let product = self.tape.product(inputs, cell.kernel, cell.n_inputs, width);
        let a = self.tape.add_row(product, of_input);
        let s = match step.state {
            None => self.tape.repeat_row(of_state, a),
            Some(h) => {
                let product = self.tape.product(h, cell.recurrent, units, width);
                self.tape.add_row(product, of_state)
            }
        };
        let [z, r] = [0, 1].map(|gate| {
            let (a, s) = (self.gate(a, gate, 3, units), self.gate(s, gate, 3, units));
            let net = self.tape.add(a, s);
            self.tape.map(net, Function::Sigmoid)
        });
        let (a, s) = (self.gate(a, 2, 3, units), self.gate(s, 2, 3, units));
        let reset = self.tape.multiply(r, s);
        let net = self.tape.add(a, reset);
        let g = self.tape.map(net, Function::Tanh);
        // (1 - z) g = g - z g
        let weighted = self.tape.multiply(z, g);
        let new = self.tape.subtract(g, weighted);
        let state = match step.state {
            None => new,
            Some(h) => {
                let kept = self.tape.multiply(z, h);
                self.tape.add(kept, new)
            }
        };
        Step { state: Some(state), cell_state: None }
    }
}
