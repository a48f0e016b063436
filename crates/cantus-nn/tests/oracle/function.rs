//! Functions of one number and their derivatives, in f64.

/// A function that the tape applies to every number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// c x
    Scale(f64),
    /// x + c
    Shift(f64),
    Exp,
    Ln,
    Sqrt,
    /// 1 / x
    Reciprocal,
    Sin,
    Cos,
    Sigmoid,
    Tanh,
    Relu,
    /// x where x > 0, else 0.2 x
    LeakyRelu,
    Elu,
    /// x Φ(x)
    Gelu,
    /// x σ(x)
    Silu,
    /// ln(1 + eˣ)
    Softplus,
    /// x between two limits, with derivative 0 beyond them.
    Clip(f64, f64),
}

impl Function {
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Scale(c) => c * x,
            Self::Shift(c) => x + c,
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Sqrt => x.sqrt(),
            Self::Reciprocal => 1.0 / x,
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Tanh => x.tanh(),
            Self::Relu => x.max(0.0),
            Self::LeakyRelu => {
                if x > 0.0 {
                    x
                } else {
                    0.2 * x
                }
            }
            Self::Elu => {
                if x > 0.0 {
                    x
                } else {
                    x.exp_m1()
                }
            }
            Self::Gelu => x * normal_distribution(x),
            Self::Silu => x * Self::Sigmoid.value(x),
            Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Self::Clip(low, high) => x.clamp(low, high),
        }
    }

    /// The derivative at `x`, where the value is `y`; at a kink that of the left side, as Keras has it.
    ///
    /// Where it is a function of `y` it is computed from that, so that a rounded `y` spoils it as much as it does in the
    /// engine: for a saturated tanh, 1 - y² keeps few digits of f32.
    pub fn slope(self, x: f64, y: f64) -> f64 {
        match self {
            Self::Scale(c) => c,
            Self::Shift(_) => 1.0,
            Self::Exp => y,
            Self::Ln => 1.0 / x,
            Self::Sqrt => 0.5 / y,
            Self::Reciprocal => -1.0 / (x * x),
            Self::Sin => x.cos(),
            Self::Cos => -x.sin(),
            Self::Sigmoid => y * (1.0 - y),
            Self::Tanh => 1.0 - y * y,
            Self::Relu => {
                if x > 0.0 {
                    1.0
                } else {
                    0.0
                }
            }
            Self::LeakyRelu => {
                if x > 0.0 {
                    1.0
                } else {
                    0.2
                }
            }
            Self::Elu => {
                if x > 0.0 {
                    1.0
                } else {
                    y + 1.0
                }
            }
            Self::Gelu => normal_distribution(x) + x * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt(),
            Self::Silu => {
                let s = Self::Sigmoid.value(x);
                s + x * s * (1.0 - s)
            }
            Self::Softplus => Self::Sigmoid.value(x),
            Self::Clip(low, high) => {
                if (low..=high).contains(&x) {
                    1.0
                } else {
                    0.0
                }
            }
        }
    }

    /// How wrong the engine's function may be, relative to its value: it has polynomials of its own for eˣ and what is
    /// made of it, "within 2e-7".
    pub fn slack(self) -> f64 {
        match self {
            Self::Exp | Self::Sigmoid | Self::Tanh | Self::Elu | Self::Gelu | Self::Silu | Self::Softplus => {
                2e-7
            }
            _ => 0.0,
        }
    }

    /// Whether the derivative jumps at 0.
    pub fn has_kink_at_zero(self) -> bool {
        matches!(self, Self::Relu | Self::LeakyRelu)
    }
}

/// Φ(x) = ½ + φ(x) (x + x³/3 + x⁵/15 + …), a series of positive terms (Abramowitz & Stegun 1964, 26.2.11).
fn normal_distribution(x: f64) -> f64 {
    if x.abs() > 12.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut divisor) = (x, x, 1.0);
    while term.abs() > 1e-18 * sum.abs() {
        divisor += 2.0;
        term *= x * x / divisor;
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Function; 17] = [
        Function::Scale(-1.5),
        Function::Shift(0.3),
        Function::Exp,
        Function::Ln,
        Function::Sqrt,
        Function::Reciprocal,
        Function::Sin,
        Function::Cos,
        Function::Sigmoid,
        Function::Tanh,
        Function::Relu,
        Function::LeakyRelu,
        Function::Elu,
        Function::Gelu,
        Function::Silu,
        Function::Softplus,
        Function::Clip(0.5, 2.0),
    ];

    #[test]
    fn every_slope_equals_central_differences() {
        for function in ALL {
            for x in [-7.1_f64, -2.3, -0.6, 0.2, 0.9, 3.7] {
                if x < 0.0 && matches!(function, Function::Ln | Function::Sqrt) {
                    continue;
                }
                let step = 1e-5;
                let difference = (function.value(x + step) - function.value(x - step)) / (2.0 * step);
                let error = (function.slope(x, function.value(x)) - difference).abs();
                assert!(error < 1e-7 * (1.0 + difference.abs()), "{function:?} at {x}: {error}");
            }
        }
    }

    /// `scipy.stats.norm.cdf([-3, -1, 0.5, 2])`, SciPy 1.16.
    #[test]
    fn the_normal_distribution_equals_tabulated_numbers() {
        for (x, expected) in [
            (-3.0, 0.001_349_898_031_630_094_6),
            (-1.0, 0.158_655_253_931_457_05),
            (0.5, 0.691_462_461_274_013_1),
            (2.0, 0.977_249_868_051_820_8),
        ] {
            assert!((normal_distribution(x) - expected).abs() < 1e-14, "{x}");
        }
    }
}
