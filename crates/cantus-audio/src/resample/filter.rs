//! The low-pass filter of the resampler: the impulse response of soxr's "HQ" recipe.

use std::f64::consts::PI;

use realfft::RealFftPlanner;

/// A Kaiser-windowed sinc; its unit of time is the sample period of the lower rate.
pub(super) struct Filter {
    /// -6 dB point, relative to the lower Nyquist frequency.
    pub(super) cutoff: f64,
    /// Shape of the Kaiser window.
    beta: f64,
    /// Half of the window's length, in periods of the lower rate.
    half_width: f64,
    /// Period of the lower rate, in input samples.
    pub(super) period: f64,
}

impl Filter {
    /// soxr's filter for the ratio `l / m`; the constants come from `tests/reference/soxr_filter.py`.
    pub(super) fn soxr_hq(l: usize, m: usize) -> Self {
        let is_one_stage = l.max(m) <= 4;
        let (beta, half_width) = if is_one_stage { (13.04, 97.25) } else { (16.0, 110.2) };
        Self { cutoff: 0.956_872, beta, half_width, period: (m as f64 / l as f64).max(1.0) }
    }

    /// Half of the filter's length, in input samples.
    pub(super) fn half_length(&self) -> usize {
        (self.half_width * self.period).ceil() as usize
    }

    /// Frequency response at the bins shared by blocks of `n_in` and `n_out` samples, scaled so that a forward transform and
    /// [`RealFft::inverse_unscaled`](crate::transform::fourier::RealFft::inverse_unscaled) have unit gain.
    #[expect(clippy::expect_used, reason = "the buffers are made by the plan")]
    pub(super) fn response(&self, n_in: usize, n_out: usize) -> Vec<f32> {
        let plan = RealFftPlanner::<f64>::new().plan_fft_forward(n_in);
        let mut impulse_response = plan.make_input_vec();
        for i in 0..=self.half_length() {
            let value = self.at(i as f64 / self.period);
            impulse_response[i] = value;
            impulse_response[(n_in - i) % n_in] = value;
        }
        let mut bins = plan.make_output_vec();
        plan.process(&mut impulse_response, &mut bins).expect("lengths fit");
        // The lower Nyquist frequency itself is excluded: the stop band begins there.
        let n_bins = n_in.min(n_out).div_ceil(2);
        // Of an even length, the inverse has the factor 2 / n_out; a block of n_in samples becomes one of n_out.
        assert!(n_out.is_multiple_of(2), "the scale is that of output blocks of even length");
        let gain = 2.0 / (bins[0].re * n_in as f64);
        bins[..n_bins].iter().map(|bin| (bin.re * gain) as f32).collect()
    }

    /// The impulse response at `t` periods of the lower rate from its centre.
    pub(super) fn at(&self, t: f64) -> f64 {
        let x = t / self.half_width;
        let window = bessel_i0(self.beta * (1.0 - x * x).max(0.0).sqrt()) / bessel_i0(self.beta);
        let phase = PI * self.cutoff * t;
        let sinc = if t == 0.0 { 1.0 } else { phase.sin() / phase };
        if x.abs() < 1.0 { sinc * window } else { 0.0 }
    }
}

/// Modified Bessel function of the first kind, order 0, by its power series.
pub(crate) fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * f64::EPSILON {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}
