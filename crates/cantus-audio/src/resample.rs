//! The whole signal in, the whole signal out at another rate.

/// Resamples a signal.
pub fn resample(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    let n_out = (samples.len() as u64 * u64::from(to)).div_ceil(u64::from(from)) as usize;
    let step = f64::from(from) / f64::from(to);
    let cutoff = 0.95 / step.max(1.0);
    let half = (32.0 / cutoff).ceil() as i64;
    (0..n_out)
        .map(|i| {
            let t = i as f64 * step;
            let first = (t.floor() as i64 - half).max(0);
            let last = (t.floor() as i64 + half).min(samples.len() as i64 - 1);
            (first..=last)
                .map(|j| {
                    let x = t - j as f64;
                    let window = (std::f64::consts::FRAC_PI_2 * x / (half as f64 + 1.0)).cos().powi(2);
                    let phase = std::f64::consts::PI * cutoff * x;
                    let sinc = if x == 0.0 { 1.0 } else { phase.sin() / phase };
                    f64::from(samples[j as usize]) * cutoff * sinc * window
                })
                .sum::<f64>() as f32
        })
        .collect()
}
