//! Resampling compared with librosa's, by values that `reference/resample.py` computed with soxr.

use cantus_audio::resample::resample;

/// The same noise and triangle chirp that the script makes.
fn signal() -> Vec<f32> {
    let at = |i: u64| {
        let noise = ((i * 1_103_515_245 + 12_345) % 2_147_483_648 / 65_536 % 1000) as f64 / 1000.0 - 0.5;
        let triangle = ((i * i / 64 % 200) as f64 / 100.0 - 1.0).abs() - 0.5;
        (0.5 * noise + 0.5 * triangle) as f32
    };
    (0..3000).map(at).collect()
}

#[test]
fn a_chirp_with_noise_is_resampled_as_librosa_does() {
    for line in include_str!("reference/resample.txt").lines() {
        let mut numbers = line.split(' ');
        let [from, to, length] = std::array::from_fn(|_| numbers.next().unwrap().parse().unwrap());
        let expected: Vec<f32> = numbers.map(|number| number.parse().unwrap()).collect();
        let found = resample(&signal(), from, to);
        assert_eq!(found.len(), length as usize, "{from} to {to}");
        // soxr filters ratios of small numbers in one stage, others in two, whose pass band is not quite flat, and whose
        // second stage lacks what the first one has before the start: the first samples differ.
        let is_one_stage = from.max(to) % from.min(to) == 0;
        let (tolerance, n_edge) = if is_one_stage { (2e-6, 0) } else { (5e-4, 3) };
        let mut worst = 0.0_f32;
        for i in (0..found.len()).step_by(7).filter(|&i| i >= n_edge) {
            let (found, expected) = (found[i], expected[i / 7]);
            worst = worst.max((found - expected).abs());
            assert!(worst < tolerance, "{from} to {to}, at {i}: {found} instead of {expected}");
        }
        println!("{from} to {to}: largest difference {worst:.1e}");
    }
}
